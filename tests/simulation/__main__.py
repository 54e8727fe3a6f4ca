"""Many seeds, or one with all that happened in it.

python -m tests.simulation --seeds 2000 [--from 0]
python -m tests.simulation --seed 1234
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from streams.cli.base import progress
from tests.simulation.world import judge

__all__ = ["main"]


def main(arguments: Sequence[str]) -> int:
    """Prints what went wrong; 1 if anything did."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--seed", type=int, help="this one alone, with its timeline")
    options = parser.parse_args(arguments)
    return _many(options.first, options.seeds) if options.seed is None else _one(options.seed)


def _one(seed: int) -> int:
    timeline: list[str] = []
    wrong = judge(seed, timeline=timeline)
    print("\n".join(timeline))
    print("\n".join(f"WRONG  {what}" for what in wrong) or "all as promised")
    return bool(wrong)


def _many(first: int, count: int) -> int:
    red = 0
    seeds = range(first, first + count)
    with ProcessPoolExecutor(os.cpu_count()) as pool, progress("simulating", count, "seeds") as move:
        for number, (seed, wrong) in enumerate(zip(seeds, pool.map(judge, seeds, chunksize=8), strict=True)):
            if wrong:
                red += 1
                print(f"seed {seed}: {wrong[0]}" + (f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""))
            move(number + 1)
    print(f"{count} seeds from {first} on, {red} of them red")
    return bool(red)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
