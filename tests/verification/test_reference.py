"""The reference itself: every case says where it is from, and is tested."""

from pathlib import Path


def test_every_case_names_its_source(cases):
    for case in cases.values():
        assert case.source, case.id
        assert case.tolerance["kind"] in {"z", "chi2", "abs", "rel", "exact", "published", "info"}, case.id


def test_every_case_is_tested(cases):
    text = "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))

    def mentioned(name):
        # As a whole, or as a head in an f-string and a quoted tail.
        return f'"{name}"' in text or any(
            f'"{name[:cut]}{{' in text and f'"{name[cut:]}"' in text for cut in range(4, len(name))
        )

    assert [name for name in cases if not mentioned(name)] == []


def test_every_case_names_its_engines(cases):
    assert len(cases) == 129
    assert [case.id for case in cases.values() if not case.engines] == []
