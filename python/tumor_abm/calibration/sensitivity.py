"""Which parameters matter for which endpoint: Sobol indices of the emulator.

Around good fits, not over whole ranges: there most tumours are none, and what would matter for them is of no
use.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
from SALib.analyze import sobol as analysis
from SALib.sample import sobol as sampling

from tumor_abm.calibration.problem import Problem
from tumor_abm.calibration.search import Tried, learnt

_SAMPLES = 512
_QUANTILES = (0.1, 0.9)

ENDPOINTS: dict[str, tuple[str, str, str, str, float | None]] = {
    "PFS, letrozole": ("MONALEESA-2", "L", "", "median", None),
    "PFS, letrozole + ribociclib": ("MONALEESA-2", "R+L", "", "median", None),
    "hazard ratio, first line": ("MONALEESA-2", "R+L", "", "hazard ratio", None),
    "24 months, letrozole": ("MONALEESA-2", "L", "", "rate", 24.0),
    "24 months, with ribociclib": ("MONALEESA-2", "R+L", "", "rate", 24.0),
    "response, letrozole": ("MONALEESA-2", "L", "", "response", None),
    "response, with ribociclib": ("MONALEESA-2", "R+L", "", "response", None),
    "PFS, fulvestrant, first line": ("MONALEESA-3", "F 1L", "1L subset", "median", None),
    "PFS, fulvestrant, second line": ("PALOMA-3", "F", "", "median", None),
    "PFS, exemestane + everolimus": ("BOLERO-2", "eve+exe", "", "median", None),
    "PFS, first chemotherapy": ("DESTINY-Breast06", "TPC", "HER2-low", "median", None),
    "PFS, second chemotherapy": ("DESTINY-Breast04 HR+", "TPC", "HR+", "median", None),
    "PFS, late chemotherapy": ("TROPiCS-02", "TPC", "", "median", None),
    "response, first chemotherapy": ("DESTINY-Breast06", "TPC", "HER2-low", "response", None),
    "ESR1 after AI": ("esr1_after_aromatase_inhibitor", "", "", "prevalence", None),
    "RB1 after CDK4/6i": ("rb1_after_cdk46_inhibitor", "", "", "prevalence", None),
}


def sensitivity(problem: Problem, tried: Sequence[Tried], seed: int) -> pl.DataFrame:
    """Return first-order and total Sobol indices of endpoints.

    Parameters
    ----------
    tried
        Simulated parameter sets.

    Returns
    -------
    polars.DataFrame
        Columns `endpoint, parameter, first, total, total_error`: shares of the variance of the endpoint
        between the 10th and the 90th percentile of the best sets.
    """
    known = learnt(problem, tried)
    low, high = np.quantile(known.points, _QUANTILES, axis=0)
    space = {
        "num_vars": len(problem.parameters),
        "names": problem.parameters.names,
        "bounds": np.stack([low, high], axis=1).tolist(),
    }
    shares = sampling.sample(space, _SAMPLES, calc_second_order=False, seed=seed)
    quantities = problem.quantities(known.emulator.predict(shares))
    places = _places(problem)
    rows: list[dict[str, str | float]] = []
    for endpoint, place in places.items():
        found = analysis.analyze(space, quantities[:, place], calc_second_order=False, seed=seed)
        rows.extend(
            {
                "endpoint": endpoint,
                "parameter": name,
                "first": float(found["S1"][i]),
                "total": float(found["ST"][i]),
                "total_error": float(found["ST_conf"][i]),
            }
            for i, name in enumerate(problem.parameters.names)
        )
    return pl.DataFrame(rows)


def _places(problem: Problem) -> dict[str, int]:
    """Columns of the endpoints among the quantities."""
    columns = {
        (t.trial, t.arm, t.subset, t.quantity, None if np.isnan(t.at) else t.at): i
        for i, t in enumerate(problem.targets)
    }
    for i, one in enumerate(problem.prevalences, start=len(problem.targets)):
        columns[one.name, "", "", "prevalence", None] = i
    return {name: columns[label] for name, label in ENDPOINTS.items() if label in columns}


def draw_sensitivity(table: pl.DataFrame, path: Path) -> None:
    """Draw total indices as a map of parameters and endpoints."""
    from matplotlib.figure import Figure

    wide = table.pivot(on="endpoint", index="parameter", values="total")
    values = wide.drop("parameter").to_numpy()
    order = np.argsort(-values.max(axis=1))[:20]
    figure = Figure(figsize=(9, 8), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(np.clip(values[order], 0, 1), cmap="Blues", vmin=0, aspect="auto")
    axes.set_yticks(range(len(order)), [wide["parameter"][int(i)].replace("_", " ") for i in order])
    axes.set_xticks(range(values.shape[1]), wide.columns[1:], rotation=40, ha="right")
    figure.colorbar(image, label="total Sobol index")
    figure.savefig(path, dpi=150)
