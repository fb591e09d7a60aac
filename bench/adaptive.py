"""How many votes adaptive redundancy saves, replayed on vote sets whose answers are known.

    python -m bench.adaptive [--data FOLDER] [--quick]

Two goals are replayed, in random and in recorded order of each task's votes. "as good as": one vote on every task, then
what `plan_round` asks for labels as good as the majority of all recorded votes. "target": from the fewest votes of
`Goal`, until each task is wrong with at most that chance. Gold is used for scoring alone. The peers are the full
majority (ties at expectation) and full Dawid-Skene on all votes, measured in the same run; "hindsight" is the smallest
share at which the same order of asking is no worse than the full majority, picked with gold: what no rule that does
not see gold can promise. "thrifty" is "as good as" with a larger allowed loss.
The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from decimal import Decimal
from typing import Any

import numpy as np
from galloway.curation.truth import aggregate
from galloway.curation.truth.adaptive import Goal, Prices, plan_round
from galloway.curation.truth.like_majority import FIRST_SHARE, LOSS
from numpy.typing import NDArray

from bench.crowd_sets import CrowdSet, accuracy, majority_accuracy, real_sets, synthetic_sets

PRICES = Prices(vote=Decimal("0.01"))
THRIFTY = 0.02
TUNED = ("CF_amt", "SP", "ZenCrowd_us", "bluebird", "dog", "rte", "web")


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


def replay_like_majority(
    source: CrowdSet, generator: np.random.Generator | None
) -> tuple[list[float], list[float], float | None]:
    """Share used, accuracy and rounds at the stop and at the thrifty one; and the share that hindsight needs.

    Hindsight is None where even the latest stop is too early. The path is that of a goal which allows no loss; a stop
    is the first round on it that a real goal would end.
    """
    votes = source.votes
    turn = turns(source, generator)
    there = np.bincount(votes.tasks, minlength=votes.n_tasks)
    goal = Goal(like_majority_of=source.per_task, most_votes=10_000, audit_share=0, allowed_loss=-1.0)
    have = np.minimum(there, 1)
    stops: dict[float, list[float]] = {}
    path: list[tuple[float, float]] = []
    while True:
        truth = aggregate(votes.take(turn < have[votes.tasks]))
        plan = plan_round(truth, goal, PRICES, seed=0, exhausted=np.flatnonzero(have >= there))
        path.append((float(have.sum() / len(votes)), accuracy(truth.posterior, source.gold)))
        for allowed in (LOSS, THRIFTY):
            if path[-1][0] >= FIRST_SHARE and plan.loss is not None and plan.loss <= allowed:
                stops.setdefault(allowed, [*path[-1], float(len(path))])
        if not len(plan.ask):
            break
        have[plan.ask] += 1
    enough = majority_accuracy(votes, source.gold) - 1e-9
    needed = next((used for used, right in path if right >= enough), None)
    last = [*path[-1], float(len(path))]
    return stops.get(LOSS, last), stops.get(THRIFTY, last), needed


def measure(source: CrowdSet, targets: list[float], seeds: int) -> dict[str, Any]:
    """All figures of one set."""
    row: dict[str, Any] = {
        "set": source.name,
        "tuned_on": source.name in TUNED,
        "votes_per_task": round(source.per_task, 2),
        "majority": majority_accuracy(source.votes, source.gold),
        "dawid_skene": accuracy(aggregate(source.votes, method="dawid-skene-exact").posterior, source.gold),
        "auto": accuracy(aggregate(source.votes).posterior, source.gold),
    }
    for order, generators in (("random", [np.random.default_rng(seed) for seed in range(seeds)]), ("recorded", [None])):
        found = [replay_like_majority(source, generator) for generator in generators]
        for goal, ends in (("as good as", [one[0] for one in found]), ("thrifty", [one[1] for one in found])):
            row[f"{order} {goal}"] = [float(np.mean([end[place] for end in ends])) for place in range(3)]
        row[f"{order} worst"] = min(one[0][1] for one in found)
        row[f"{order} hindsight"] = [one[2] for one in found]
    for target in targets:
        runs = [replay(source, target, np.random.default_rng(seed)) for seed in range(seeds)]
        row[f"random {target}"] = [float(np.mean([run[place] for run in runs])) for place in range(3)]
        row[f"recorded {target}"] = list(replay(source, target, None))
    return row


def show(row: dict[str, Any], targets: list[float]) -> None:
    """One line of the table."""
    cells = []
    for goal in ("as good as", "thrifty", *targets):
        for order in ("random", "recorded"):
            used, right, _ = row[f"{order} {goal}"]
            cell = f"{used:4.0%} {right:.4f} ({100 * (right - row['majority']):+5.1f})"
            if goal == "as good as":
                cell += " " + "/".join("later" if one is None else f"{one:.0%}" for one in row[f"{order} hindsight"])
            cells.append(cell)
    full = " ".join(f"{row[method]:.4f}" for method in ("majority", "dawid_skene", "auto"))
    mark = "*" if row["tuned_on"] else " "
    print(f"{mark} {row['set'][:30]:<30} {row['votes_per_task']:5.1f} {full}", *cells, sep="  ", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="folder of NAME_labels.csv and NAME_gold.csv; default: GALLOWAY_CROWD_SETS")
    parser.add_argument("--targets", type=float, nargs="+", default=[0.1], help="chance of a wrong label per task")
    parser.add_argument("--seeds", type=int, default=2, help="random orders per set")
    parser.add_argument("--least-votes", type=int, default=0, help="leave out smaller sets")
    parser.add_argument("--most-votes", type=int, default=30_000, help="leave out larger sets")
    parser.add_argument(
        "--quick", action="store_true", help="synthetic crowds and tiny sets, one order: under 40 seconds"
    )
    options = parser.parse_args()
    began = time.monotonic()
    targets = options.targets[:1] if options.quick else options.targets
    seeds = 1 if options.quick else options.seeds
    real = real_sets(options.data, 5_000 if options.quick else options.most_votes)
    sets = [*(one for one in real if len(one.votes) >= options.least_votes), *synthetic_sets()]
    print(
        "set (* tuned on), votes a task, full majority, full Dawid-Skene, auto; then share of votes used, accuracy "
        "(points against full majority)"
    )
    goals = ", ".join(f"target {target}" for target in targets)
    print(f"for: as good as, with hindsight; thrifty; {goals} (random, recorded)")
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
