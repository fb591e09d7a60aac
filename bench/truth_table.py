"""Accuracy and calibration of every method on vote sets whose answers are known.

    python -m bench.truth_table [--data FOLDER] [--quick]

Majority counts ties at expectation. crowd-kit's Dawid-Skene and one-coin are run by the Python that the environment
variable GALLOWAY_CROWDKIT_PYTHON names, if any. Gold is used for scoring alone. The last line is one JSON object.
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

from bench.crowd_sets import CrowdSet, accuracy, calibration_error, majority_accuracy, real_sets, synthetic_sets
from curation.truth import aggregate

METHODS = ("one-coin", "dawid-skene-exact", "dawid-skene", "auto")

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


def main() -> None:
    """Print the table and the means over the real sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of NAME_labels.csv and NAME_gold.csv; default: GALLOWAY_CROWD_SETS")
    parser.add_argument("--most-votes", type=int, default=250_000, help="leave out larger sets")
    parser.add_argument("--quick", action="store_true", help="only sets of up to 12,000 votes, without crowd-kit")
    options = parser.parse_args()
    began = time.monotonic()
    peer = None if options.quick else os.environ.get("GALLOWAY_CROWDKIT_PYTHON")
    print(
        f"{'set':<34} {'votes':>5} majority one-coin DS exact  DS s=4     auto    ck DS ck 1-coin | ECE: maj. DS auto"
    )
    real = []
    for source in real_sets(options.data, 12_000 if options.quick else options.most_votes):
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
    print(json.dumps({"real": real, "synthetic": made, "wall_seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
