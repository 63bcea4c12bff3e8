"""Executes cascades on a copy of the shared chain, and prints how far the predictions were off.

python -m tests.onchain.keeper
python -m tests.onchain.keeper --only morpho --only WETH --to cascades
"""

from __future__ import annotations

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from .compare import Comparison
from .scenarios import CASES, OTHERWISE
from .stage import staged
from .trial import Trial, tried

KINDS = ("repaid", "seized", "pool price", "bad debt", "uncovered")
HEAD = f"{'protocol and shocks':<70} rounds liquidations " + " ".join(f"{k:>10}" for k in KINDS)


def main() -> int:
    """1 where anything is not as predicted."""
    options = _options()
    cases = [
        case for case in (*CASES, *OTHERWISE) if all(word in case.label for word in options.only)
    ]
    with ExitStack() as stack:
        folder = options.to or Path(stack.enter_context(TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        place = stack.enter_context(TemporaryDirectory())
        stage = stack.enter_context(staged(Path(place), options.seed))
        print("largest relative differences; up to two base units are none")
        print(HEAD)
        good = [_shown(tried(stage, case, folder), options.most) for case in cases]
    print(f"{sum(good)} of {len(good)} as predicted")
    return 0 if all(good) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", default=[], help="cases with this in their name")
    parser.add_argument("--to", type=Path, help="where predictions and records are kept")
    parser.add_argument("--seed", type=int, default=1, help="of the shared chain")
    parser.add_argument("--most", type=int, default=5, help="differences that are told of a case")
    return parser.parse_args()


def _shown(trial: Trial, most: int) -> bool:
    found = trial.comparison
    said, seen = (len(one.rounds) for one in (trial.predicted, trial.happened))
    rounds = f"{seen}" if said == seen else f"{said}/{seen}"
    count = sum(len(one.liquidations) for one in trial.happened.rounds)
    print(f"{trial.case.label:<70} {rounds:>6} {count:>12} {_differences(found)}", flush=True)
    for line in found.wrong[:most]:
        print(f"    {line}")
    if len(found.wrong) > most:
        print(f"    and {len(found.wrong) - most} more")
    return found.good


def _differences(found: Comparison) -> str:
    return " ".join(
        f"{found.largest[kind]:>10.1e}" if kind in found.largest else f"{'-':>10}" for kind in KINDS
    )


if __name__ == "__main__":
    sys.exit(main())
