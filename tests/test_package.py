"""What `import tumor_abm` offers, and how quickly."""

from __future__ import annotations

import subprocess
import sys
from inspect import ismodule

import pytest
import tumor_abm


def test_every_public_name_is_there() -> None:
    for name in tumor_abm.__all__:
        assert getattr(tumor_abm, name) is not None
    assert set(tumor_abm.__all__) <= set(dir(tumor_abm))


def test_modules_are_completed_and_loaded_when_they_are_asked_for() -> None:
    for name in set(dir(tumor_abm)) - set(tumor_abm.__all__):
        assert ismodule(getattr(tumor_abm, name))
    assert {"evolution", "plots", "report", "theory", "trials"} <= set(dir(tumor_abm))
    assert tumor_abm.plots.plot_muller
    assert tumor_abm.report.write_report


def test_compare_is_the_function_whatever_was_imported_before() -> None:
    import tumor_abm.analysis.comparison

    assert callable(tumor_abm.compare)
    assert tumor_abm.compare is tumor_abm.analysis.comparison.compare


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
