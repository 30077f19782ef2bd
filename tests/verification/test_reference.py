"""The reference itself: every case says where it is from, and is tested."""

from pathlib import Path

TABLE = Path(__file__).parents[2] / "docs" / "verification.md"


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


def test_the_page_has_every_case_on_every_engine_it_names(cases):
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    rows = [line.removeprefix("| ").removesuffix(" |").split(" | ") for line in lines]
    engine = next(row.index("engine") for row in rows if row[0] == "case")
    shown = {(row[0], row[engine]) for row in rows if row[-1] == "yes"}
    assert [(case.id, e) for case in cases.values() for e in case.engines if (case.id, e) not in shown] == []
    assert [row for row in rows if row[-1] == "NO"] == []
