"""Measure what remembering the clones of a treated patient costs: CPU time with and without.

python benchmarks/clone_genealogy.py [PATIENTS]
"""

from __future__ import annotations

import sys
import time

import tumor_abm as ta


def lived(patients: int, clone_genealogy: bool) -> tuple[float, int]:
    """CPU seconds of the lives of so many patients, and clones that they had."""
    began, clones = time.process_time(), 0
    for patient in range(patients):
        model = ta.TumorModel(rng=1, patient=patient, clone_genealogy=clone_genealogy, collect_every_days=0)
        model.run()
        clones += model.all_clones.height if clone_genealogy else 0
    return time.process_time() - began, clones


if __name__ == "__main__":
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    lived(1, clone_genealogy=False)
    without, _ = lived(wanted, clone_genealogy=False)
    with_it, ever = lived(wanted, clone_genealogy=True)
    print(f"{wanted} patients: {without:.2f} s without, {with_it:.2f} s with ({with_it / without:.2f} times)")
    print(f"{ever / wanted:,.0f} clones a patient")
