"""How good is a swap? The field's measures for the mean face, the embedded engine and a faceswap, floor and ceiling.

    python -m bench.swap [--quick] [--minutes 10] [--pair A.mp4 B.mp4]… [--keep ROOM] [--budget 100]
                         [--before CHECKOUT] [--faceswap NAME CHECKOUT PYTHON]…

Without clips the demo's footage is drawn. Both people's faces are found, the engines train for the same minutes by the
clock, and side A's whole clip is swapped and measured as `galloway results measure` does. The floor is A untouched (no
error but identity, which is A's), the ceiling B's own clip untouched (identity is B's). `--before` names a checkout of
an earlier Galloway, whose embedded engine is measured as well. The peers are faceswap's `lightweight` by `--faceswap`,
or where GALLOWAY_FACESWAP_HOME and GALLOWAY_FACESWAP_PYTHON name one. Clips with several people need their faces
cleaned first: here the largest face of each frame is taken.

With `--keep` what is done stays in the folder ROOM: the same command goes on where a run was killed, within a training
too. `--budget` says in how many minutes all is to be done: trainings are made shorter where they would not fit.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from contextlib import nullcontext
from pathlib import Path

from bench.swap_table import HERE, Pair, Way, minutes_each, show, table


def main() -> None:
    """Parse the command line, measure, print."""
    options = _parser().parse_args()
    pairs = [Pair(a.resolve(), b.resolve()) for a, b in options.pair] or [Pair(None, None)]
    ways = _ways(options)
    minutes = 0.05 if options.quick else minutes_each(options.budget, options.minutes, len(pairs), len(ways))
    if minutes <= 0:
        raise SystemExit(f"{options.budget:g} minutes are too few for {len(pairs)} pairs. Give more with --budget.")
    print(f"{len(pairs)} pairs, {len(ways)} engines, {minutes:.1f} minutes of training each")
    with nullcontext(options.keep) if options.keep else tempfile.TemporaryDirectory() as room:
        show(table(Path(room).resolve(), pairs, ways, minutes, small=options.quick))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three seconds of training, the small demo, no peer")
    parser.add_argument("--minutes", type=float, default=10.0, help="training time of each engine, by the clock")
    parser.add_argument("--budget", type=float, default=100.0, help="minutes for everything")
    parser.add_argument(
        "--pair", type=Path, nargs=2, action="append", default=[], metavar=("A", "B"), help="both sides' clips"
    )
    parser.add_argument("--keep", type=Path, metavar="ROOM", help="keep what is done there, and go on with it")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="an earlier Galloway to measure as well")
    parser.add_argument(
        "--faceswap", nargs=3, action="append", default=[], metavar=("NAME", "CHECKOUT", "PYTHON"), help="a peer"
    )
    return parser


def _ways(options: argparse.Namespace) -> list[Way]:
    ways = [Way("embedded")]
    if options.before:
        ways.append(Way("embedded before", tree=options.before.resolve()))
    home, python = (os.environ.get(f"GALLOWAY_FACESWAP_{name}") for name in ("HOME", "PYTHON"))
    peers = options.faceswap or ([("lightweight", home, python)] if home else [])
    if not peers or options.quick:
        print("faceswap is not measured: give --faceswap NAME CHECKOUT PYTHON, and leave --quick out.")
        return ways
    return ways + [
        Way(f"faceswap {name}", HERE, Path(where), Path(python) if python else None) for name, where, python in peers
    ]


if __name__ == "__main__":
    main()
