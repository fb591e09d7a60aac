"""Accuracy and calibration of every method on vote sets whose answers are known.

    python -m bench.truth_table [--data FOLDER] [--quick] [--few]

Majority counts ties at expectation. crowd-kit's Dawid-Skene and one-coin are run by the Python that the environment
variable GALLOWAY_CROWDKIT_PYTHON names, if any. Gold is used for scoring alone. `--few` goes on with one, two, three
and five random votes a task on the sets of up to 30,000 votes: `auto` against the majority of the same votes, four
draws each. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from galloway.curation.truth import VotesTable, aggregate

from bench.crowd_sets import CrowdSet, accuracy, calibration_error, majority_accuracy, real_sets, synthetic_sets

METHODS = ("one-coin", "dawid-skene-exact", "dawid-skene", "auto")

CHOSEN_ON = frozenset(
    {"CF_amt", "SP", "ZenCrowd_us", "bluebird", "dog", "rte", "web", "d_jn_product", "trec", "s5_AdultContent"}
)
"""The half of the sets that had a say in the constants of `auto`."""
FEW = (1, 2, 3, 5)
_DRAWS = 4
_FEW_MOST_VOTES = 30_000

PEER = """
import json, sys, warnings
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
from crowdkit.aggregation import DawidSkene, OneCoinDawidSkene
data = np.load(sys.argv[1])
frame = pd.DataFrame({"task": data["tasks"], "worker": data["workers"], "label": data["labels"]})
right = {}
for name, model in (("crowd-kit DS", DawidSkene()), ("crowd-kit one-coin", OneCoinDawidSkene())):
    labels = model.fit_predict(frame).reindex(np.arange(len(data["gold"])))
    known = data["gold"] >= 0
    right[name] = float((labels.to_numpy()[known] == data["gold"][known]).mean())
print(json.dumps(right))
"""


def measure(source: CrowdSet, peer: str | None) -> dict[str, Any]:
    """All figures of one set."""
    votes, gold = source.votes, source.gold
    row: dict[str, Any] = {
        "set": source.name,
        "votes": len(votes),
        "labels": votes.n_labels,
        "votes_per_task": round(source.per_task, 2),
        "gold": int((gold >= 0).sum()),
        "majority": majority_accuracy(votes, gold),
        "error": {"majority": calibration_error(aggregate(votes, method="majority").posterior, gold)},
    }
    for method in METHODS:
        truth = aggregate(votes, method=method)
        row[method] = accuracy(truth.posterior, gold)
        row["error"][method] = calibration_error(truth.posterior, gold)
        if method == "auto" and truth.blend is not None:
            row["two_kinds"] = truth.blend.two_kinds
    if peer:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "votes.npz"
            np.savez(path, tasks=votes.tasks, workers=votes.workers, labels=votes.labels, gold=gold)
            done = subprocess.run([peer, "-c", PEER, str(path)], check=True, capture_output=True, text=True)
        row |= json.loads(done.stdout.splitlines()[-1])
    return row


def show(row: dict[str, Any]) -> None:
    """One line of the table."""
    columns = ["majority", *METHODS, "crowd-kit DS", "crowd-kit one-coin"]
    cells = [f"{row[name]:8.4f}" if name in row else "       –" for name in columns]
    errors = [f"{row['error'][name]:6.3f}" for name in ("majority", "dawid-skene-exact", "auto")]
    print(f"{row['set'][:34]:<34} {row['votes_per_task']:5.1f}", *cells, " |", *errors, flush=True)


def first_votes(votes: VotesTable, per_task: int, seed: int) -> VotesTable:
    """At most `per_task` votes of each task, drawn at random."""
    order = np.random.default_rng(seed).permutation(len(votes))
    order = order[np.argsort(votes.tasks[order], kind="stable")]
    tasks = votes.tasks[order]
    starts = np.searchsorted(tasks, tasks)
    return votes.take(np.sort(order[np.arange(len(tasks)) - starts < per_task]))


def few_votes(source: CrowdSet, per_task: int) -> list[float]:
    """Points of `auto` above the majority of the same votes, one per draw."""
    gains = []
    for draw in range(1, _DRAWS + 1):
        votes = first_votes(source.votes, per_task, 1000 * draw + per_task)
        gains.append(100 * (accuracy(aggregate(votes).posterior, source.gold) - majority_accuracy(votes, source.gold)))
    return gains


def show_few(sources: list[CrowdSet]) -> dict[str, dict[str, list[float]]]:
    """One line per number of votes; every set's points by number of votes."""
    table: dict[str, dict[str, list[float]]] = {}
    for per_task in FEW:
        gains = {source.name: few_votes(source, per_task) for source in sources}
        table[str(per_task)] = {name: [round(gain, 2) for gain in row] for name, row in gains.items()}
        halves = []
        for chosen in (True, False):
            means = {name: float(np.mean(row)) for name, row in gains.items() if (name in CHOSEN_ON) == chosen}
            if means:
                worst = min(means, key=lambda name: means[name])
                low = min(min(gains[name]) for name in means)
                middle = float(np.mean(list(means.values())))
                halves.append(f"mean {middle:+.1f}, worst set {means[worst]:+.1f} ({worst}), worst draw {low:+.1f}")
        print(f"{per_task} votes a task: chosen on / other sets:", " / ".join(halves), flush=True)
    return table


def main() -> None:
    """Print the table and the means over the real sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of NAME_labels.csv and NAME_gold.csv; default: GALLOWAY_CROWD_SETS")
    parser.add_argument("--most-votes", type=int, default=250_000, help="leave out larger sets")
    parser.add_argument("--quick", action="store_true", help="only sets of up to 12,000 votes, without crowd-kit")
    parser.add_argument("--few", action="store_true", help="also with few random votes a task")
    options = parser.parse_args()
    began = time.monotonic()
    peer = None if options.quick else os.environ.get("GALLOWAY_CROWDKIT_PYTHON")
    print(
        f"{'set':<34} {'votes':>5} majority one-coin DS exact  DS s=4     auto    ck DS ck 1-coin | ECE: maj. DS auto"
    )
    real, small = [], []
    for source in real_sets(options.data, 12_000 if options.quick else options.most_votes):
        small += [source] if len(source.votes) <= _FEW_MOST_VOTES else []
        real.append(measure(source, peer))
        show(real[-1])
    if real:
        means = {name: float(np.mean([row[name] for row in real])) for name in ("majority", *METHODS)}
        worst = {name: float(min(row[name] - row["majority"] for row in real)) for name in METHODS}
        print("mean", {name: round(value, 4) for name, value in means.items()})
        print("worst against majority", {name: round(value, 4) for name, value in worst.items()})
    made = []
    for source in synthetic_sets():
        made.append(measure(source, peer))
        show(made[-1])
    few = show_few(small) if options.few else {}
    print(json.dumps({"real": real, "synthetic": made, "few": few, "wall_seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
