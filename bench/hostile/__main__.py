"""Hostile inputs and faults by category, on loopback only: what ran, hung, fell over, doubled, was lost.

    python -m bench.hostile            # thousands of inputs and faults, about 15 minutes on two cores
    python -m bench.hostile --quick    # a tenth of them
    python -m bench.hostile --only kills --only cuts

An input must end in an answer or in an error that is raised on purpose; any other exception counts as a traceback, an
input over its time as a hang, a trace of the canary program as a run. A fault is followed by the same command until it
ends; then every HIT, vote, decision, payment and file must be there once and SQLite must find every database whole.
Real faults: SIGKILL of command processes and of a market server, connections that a proxy cuts, a full disk, read-only
mounts, clocks that step. Simulated ones (a kill between two calls of one process, a refused piece of a file) stand
beside them and are counted apart. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from galloway.pipeline.stages.setup import make_workspace

from . import cuts, files, inputs, kills, simulated
from .clocks import clocks
from .disks import disks
from .processes import preload
from .tally import Tally, canary

Part = Callable[[Tally, random.Random, Path, float], str | None]


def _inputs(tally: Tally, rng: random.Random, folder: Path, share: float) -> None:
    workspace, _ = make_workspace(folder / "a-name-to-look-for")
    inputs.pictures(tally, rng, round(900 * share))
    inputs.paths(tally, rng, round(500 * share), workspace)
    inputs.texts(tally, rng, round(250 * share), folder)
    inputs.addresses(tally, rng, round(300 * share))
    inputs.words(tally, rng, round(200 * share))
    inputs.strangers(tally, rng, round(400 * share), workspace)
    inputs.markets(tally, rng, round(500 * share))
    workspace.db.dispose()


def _files(tally: Tally, rng: random.Random, folder: Path, share: float) -> None:
    workspace, _ = make_workspace(folder / "strange")
    workspace.db.dispose()
    files.bombs(tally, rng, round(150 * share))
    files.archives(tally, rng, round(100 * share), folder)
    files.alignments(tally, rng, round(100 * share), folder)
    files.face_headers(tally, rng, round(100 * share), folder)
    files.votes_files(tally, rng, round(150 * share), folder)
    files.formulas(tally, rng, round(200 * share))
    files.tables(tally, rng, round(60 * share), workspace.root)
    files.http(tally, rng, round(150 * share), folder)
    files.slow(tally, folder)


def _simulated(tally: Tally, rng: random.Random, folder: Path, share: float) -> None:
    simulated.money(tally, rng, round(2500 * share))
    simulated.disks(tally, rng, round(1500 * share), folder)
    simulated.clocks(tally, rng, round(2000 * share))


def _kills(tally: Tally, rng: random.Random, folder: Path, share: float) -> None:
    kills.commands(tally, rng, round(400 * share), folder)
    kills.server(tally, round(100 * share) or 1, folder)
    kills.executed(tally, rng, round(24 * share), folder)


def _cuts(tally: Tally, rng: random.Random, folder: Path, share: float) -> None:
    cuts.requester(tally, rng, round(600 * share), folder)
    cuts.workers(tally, rng, 5 * (round(40 * share) + 2), folder)
    cuts.commands(tally, rng, round(40 * share) or 1, folder)


def _disks(tally: Tally, rng: random.Random, folder: Path, share: float) -> str:
    return disks(tally, rng, max(3, round(150 * share)), folder)


def _clocks(tally: Tally, rng: random.Random, folder: Path, share: float) -> str:
    return clocks(tally, rng, max(3, round(150 * share)), folder)


PARTS: dict[str, Part] = {
    "kills": _kills,
    "cuts": _cuts,
    "disks": _disks,
    "clocks": _clocks,
    "inputs": _inputs,
    "files": _files,
    "simulated": _simulated,
}
"""Real processes first: the others may start threads, after which this process could not fork safely."""


def run(seed: int, share: float, parts: list[str]) -> Tally:
    """The named parts, `share` of the full number of each."""
    tally = Tally()
    preload()
    with tempfile.TemporaryDirectory() as name, canary(Path(name)) as trace:
        for part in (part for part in PARTS if part in parts):
            folder, started = Path(name) / part, time.monotonic()
            folder.mkdir()
            said = PARTS[part](tally, random.Random(seed), folder, share)
            print(f"{part}: {time.monotonic() - started:.0f} s{f', by {said}' if said else ''}", file=sys.stderr)
        tally.counts["canary", "run"] = len(trace.read_text(encoding="utf-8")) if trace.exists() else 0
    return tally


def figures(tally: Tally) -> dict[str, int]:
    """The counts of the last line: inputs, faults, how many of these were real, and what must be 0."""
    bad = ("run", "hang", "traceback", "wrong", "doubled", "lost")
    faults = {kind: count for (category, kind), count in tally.counts.items() if category == "faults"}
    named = sum(
        count
        for (category, outcome), count in tally.counts.items()
        if category in inputs.CATEGORIES | files.CATEGORIES and outcome
    )
    real = {kind: count for kind, count in sorted(faults.items()) if kind}
    return {
        "inputs": named, "faults": sum(faults.values()), "real_faults": sum(real.values()),
        **{kind.replace(" ", "_"): count for kind, count in real.items()},
        **{name: tally.of(name) for name in bad},
    }  # fmt: skip


def main() -> int:
    """Print the counts by category; 1 where anything ran, hung, fell over, doubled or was lost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of it")
    parser.add_argument("--share", type=float, help="so much of it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=list(PARTS), help="only this part; repeat for more")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # every jump of a clock is told, and there are thousands
    tally = run(options.seed, options.share or (0.1 if options.quick else 1.0), options.only or list(PARTS))
    for (category, outcome), count in sorted(tally.counts.items()):
        example = tally.examples.get((category, outcome), "")
        shown = "" if outcome in ("answered", "refused", "right") else example
        print(f"{category:<24} {outcome or 'simulated':<26} {count:>6}  {shown}".rstrip())
    found = figures(tally)
    print(json.dumps(found))
    return int(any(tally.of(name) for name in ("run", "hang", "traceback", "wrong", "doubled", "lost")))


if __name__ == "__main__":
    sys.exit(main())
