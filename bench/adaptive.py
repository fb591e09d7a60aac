"""How many votes adaptive redundancy saves, replayed on vote sets whose answers are known.

    python -m bench.adaptive [--data FOLDER] [--quick]

Every task starts with the fewest votes of `Goal`; after each round `plan_round` says which tasks get their next one, in
random or in recorded order, until it stops or the votes run out. Gold is used for scoring alone. The peers are the full
majority (ties at expectation) and full Dawid-Skene on all votes, measured in the same run. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import time
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.crowd_sets import CrowdSet, accuracy, majority_accuracy, real_sets, synthetic_sets
from curation.truth import aggregate
from curation.truth.adaptive import Goal, Prices, plan_round

PRICES = Prices(vote=Decimal("0.01"))


def turns(source: CrowdSet, generator: np.random.Generator | None) -> NDArray[np.intp]:
    """Each vote's turn on its task, from 0: random, or as recorded."""
    tasks = source.votes.tasks
    key = generator.random(len(tasks)) if generator is not None else np.arange(len(tasks))
    order = np.lexsort((key, tasks))
    first = np.searchsorted(tasks[order], np.arange(source.votes.n_tasks))
    turn = np.empty(len(tasks), dtype=np.intp)
    turn[order] = np.arange(len(tasks)) - first[tasks[order]]
    return turn


def replay(source: CrowdSet, target: float, generator: np.random.Generator | None) -> tuple[float, float, int]:
    """The share of votes used, the accuracy reached, and the number of rounds."""
    votes = source.votes
    turn = turns(source, generator)
    there = np.bincount(votes.tasks, minlength=votes.n_tasks)
    fewest = Goal(most_votes=max(round(source.per_task), 1)).fewest_votes
    goal = Goal(target_error=target, fewest_votes=fewest, most_votes=10_000, audit_share=0)
    have = np.minimum(there, goal.fewest_votes)
    rounds = 0
    while True:
        rounds += 1
        truth = aggregate(votes.take(turn < have[votes.tasks]))
        ask = plan_round(truth, goal, PRICES, seed=0).ask
        ask = ask[have[ask] < there[ask]]
        if not len(ask):
            return float(have.sum() / len(votes)), accuracy(truth.posterior, source.gold), rounds
        have[ask] += 1


def measure(source: CrowdSet, targets: list[float], seeds: int) -> dict[str, Any]:
    """All figures of one set."""
    row: dict[str, Any] = {
        "set": source.name,
        "votes_per_task": round(source.per_task, 2),
        "majority": majority_accuracy(source.votes, source.gold),
        "dawid_skene": accuracy(aggregate(source.votes, method="dawid-skene-exact").posterior, source.gold),
        "auto": accuracy(aggregate(source.votes).posterior, source.gold),
    }
    for target in targets:
        runs = [replay(source, target, np.random.default_rng(seed)) for seed in range(seeds)]
        row[f"random {target}"] = [float(np.mean([run[place] for run in runs])) for place in range(3)]
        row[f"recorded {target}"] = list(replay(source, target, None))
    return row


def show(row: dict[str, Any], targets: list[float]) -> None:
    """One line of the table."""
    cells = []
    for target in targets:
        for order in ("random", "recorded"):
            used, right, _ = row[f"{order} {target}"]
            cells.append(f"{used:4.0%} {right:.4f} ({100 * (right - row['majority']):+5.1f})")
    full = " ".join(f"{row[method]:.4f}" for method in ("majority", "dawid_skene", "auto"))
    print(f"{row['set'][:32]:<32} {row['votes_per_task']:5.1f} {full}", *cells, sep="  ", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of NAME_labels.csv and NAME_gold.csv; default: GALLOWAY_CROWD_SETS")
    parser.add_argument(
        "--targets", type=float, nargs="+", default=[0.13, 0.1], help="chance of a wrong label per task"
    )
    parser.add_argument("--seeds", type=int, default=2, help="random orders per set")
    parser.add_argument("--most-votes", type=int, default=30_000, help="leave out larger sets")
    parser.add_argument(
        "--quick", action="store_true", help="synthetic crowds and tiny sets, one order: under 40 seconds"
    )
    options = parser.parse_args()
    began = time.monotonic()
    targets = options.targets[:1] if options.quick else options.targets
    seeds = 1 if options.quick else options.seeds
    sets = [*real_sets(options.data, 5_000 if options.quick else options.most_votes), *synthetic_sets()]
    print(
        "set, votes a task, full majority, full Dawid-Skene, auto; then share of votes used, accuracy (points against"
    )
    print("full majority) for", ", ".join(f"target {target} random and recorded" for target in targets))
    rows = []
    for source in sets:
        if options.quick and time.monotonic() - began > 30:
            print("(the rest is left out: --quick)")
            break
        rows.append(measure(source, targets, seeds))
        show(rows[-1], targets)
    print(json.dumps({"rows": rows, "wall_seconds": round(time.monotonic() - began, 1)}))


if __name__ == "__main__":
    main()
