"""What `import tumor_abm` offers, and how quickly."""

from __future__ import annotations

import subprocess
import sys

import pytest
import tumor_abm


def test_every_public_name_is_there() -> None:
    for name in tumor_abm.__all__:
        assert getattr(tumor_abm, name) is not None
    assert dir(tumor_abm) == tumor_abm.__all__


def test_compare_is_the_function_whatever_was_imported_before() -> None:
    import tumor_abm.comparison

    assert callable(tumor_abm.compare)
    assert tumor_abm.compare is tumor_abm.comparison.compare


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'no_such_thing'"):
        _ = tumor_abm.no_such_thing


def test_importing_the_package_imports_nothing_heavy() -> None:
    program = (
        "import sys, tumor_abm\n"
        "print({'polars', 'numpy', 'pydantic', 'matplotlib', 'lifelines', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
