"""``python -m fuzz``: send odd things through every door, and say what broke."""

from __future__ import annotations

import argparse
import secrets
import shutil
import sys
from collections import Counter
from pathlib import Path

from fuzz.guard import Finding, watch

CASES = "fuzz.cases"


def main() -> int:
    """Run; the exit code is 1 if something broke."""
    parser = argparse.ArgumentParser(prog="python -m fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3600, help="how long (default: an hour)")
    parser.add_argument("--seed", type=int, help="of the cases (default: drawn)")
    parser.add_argument("--case", type=int, metavar="N", help="run case N of the seed alone")
    parser.add_argument("--out", type=Path, default=Path("fuzz_findings"), help="folder of what broke")
    given = parser.parse_args()
    seed = secrets.randbits(32) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    met: Counter[str] = Counter()

    def found(finding: Finding) -> None:
        met[finding.place] += 1
        if met[finding.place] == 1:
            print(f"\n{_written(finding, seed, given.out)}", flush=True)

    folder = (given.out / str(seed)).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    tally = watch(
        CASES,
        folder,
        seed=seed,
        seconds=given.seconds,
        first=given.case or 0,
        most=None if given.case is None else 1,
        found=found,
    )
    if not tally.findings:
        shutil.rmtree(folder)
    ran = ", ".join(f"{count} {kind}" for kind, count in sorted(tally.cases.items()))
    print(f"\n{sum(tally.cases.values())} cases: {ran}")
    if tally.stopped:
        stopped = ", ".join(f"{number} ({kind})" for number, kind in tally.stopped.items())
        print(f"still at work when interrupted: cases {stopped}")
    for place, times in met.most_common():
        print(f"{times} times: {place}")
    print(f"{len(tally.findings)} broken, in {len(met)} places")
    return 1 if tally.findings else 0


def _written(finding: Finding, seed: int, out: Path) -> str:
    again = f"python -m fuzz --seed {seed} --case {finding.number}"
    text = f"{finding.kind}: {again}\nfiles: {finding.scratch}\n{finding.what}"
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{seed}_{finding.number}.txt").write_text(text, encoding="utf-8")
    return text


if __name__ == "__main__":
    sys.exit(main())
