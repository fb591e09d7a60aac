"""Adaptive redundancy: ask again only where it pays.

After each round every task is one of three: enough is known (stop), another vote is worth its price (ask), or workers
will not settle it and a person should (person). Enough is either a chance of error per task, or labels as good as a
majority of so many votes on every task would give (`like_majority`). The rule looks at votes and posteriors only; gold
is not needed. A random sample of the stopped tasks is asked once more, so that over-confident posteriors are found out:
see `truth.audit`.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from enum import IntEnum
from math import comb

import numpy as np
from numpy.typing import NDArray

from ..errors import VotesError
from .like_majority import LAST_SHARE, LOSS, votes_next
from .models.canonical import hash_order
from .result import TaskStatus, Truth

__all__ = ["Action", "Goal", "Prices", "RoundPlan", "plan_round"]

Floats = NDArray[np.float64]
Tasks = NDArray[np.intp]

_LOOKAHEAD = 9


class Action(IntEnum):
    """What comes next for a task."""

    STOP = 0
    ASK = 1
    PERSON = 2


@dataclass(frozen=True, slots=True)
class Prices:
    """What one more vote costs (reward and fee), and what a person's look costs; None where nobody is there to look."""

    vote: Decimal
    person: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted.

    A task is asked about until the chance that its label is wrong is at most `target_error`, it has `most_votes`, or
    the `budget` for this round is spent. No task stops below `fewest_votes`: by default three, for of two voters who
    agree nobody knows whether they are good, or two where at most six votes are bought anyway. `audit_share` of the
    stopped tasks are asked once more. With `error_cost`, what a wrong label costs, a vote is asked only where the error
    that it is expected to remove is worth its price; the other doubtful tasks are for a person.

    With `like_majority_of`, the votes per task that would be bought otherwise (a mean where tasks differ), the
    `target_error` does not count: every task gets one vote at first, then each round asks where it gains most, until
    the labels are expected to be right at most `allowed_loss` less often than a majority of so many votes on every
    task.
    """

    target_error: float = 0.1
    like_majority_of: float | None = None
    allowed_loss: float = LOSS
    fewest_votes: int = 0
    most_votes: int = 9
    budget: Decimal | None = None
    audit_share: float = 0.02
    error_cost: Decimal | None = None

    def __post_init__(self) -> None:
        if not 0 < self.target_error < 0.5:
            raise VotesError(f"A target error of {self.target_error} makes no sense; give one between 0 and 0.5.")
        if self.like_majority_of is not None and self.like_majority_of < 1:
            raise VotesError(f"A majority of {self.like_majority_of} votes makes no sense; give 1 or more.")
        if not self.fewest_votes:
            usual = 2 if self.most_votes <= 6 else 3
            fewest = usual if self.like_majority_of is None else 1
            object.__setattr__(self, "fewest_votes", min(fewest, self.most_votes))
        if not 1 <= self.fewest_votes <= self.most_votes:
            raise VotesError(
                f"fewest_votes {self.fewest_votes} and most_votes {self.most_votes} contradict each other."
            )
        if not 0 <= self.audit_share <= 1:
            raise VotesError(f"An audit share of {self.audit_share} makes no sense; give one between 0 and 1.")


@dataclass(frozen=True, slots=True, eq=False)
class RoundPlan:
    """The next round: task codes to `ask`, to `audit` (ask although they could stop) and to send to a `person`.

    `actions` holds one `Action` per task. `deferred` are tasks that deserve a vote but not within the budget. Costs are
    expected ones. `error_now` and `error_next` are expected shares of wrong labels over all tasks, before and after.
    `loss`, with `Goal.like_majority_of` alone, is by how much that majority is expected to be right more often.
    """

    actions: NDArray[np.int8]
    ask: Tasks
    audit: Tasks
    person: Tasks
    deferred: Tasks
    cost: Decimal
    person_cost: Decimal
    error_now: float
    error_next: float
    guarantee: str
    loss: float | None = None

    @property
    def votes(self) -> int:
        """How many votes the round asks for: one per task in `ask` and in `audit`."""
        return len(self.ask) + len(self.audit)

    @property
    def error_removed(self) -> float:
        return self.error_now - self.error_next


def plan_round(
    truth: Truth,
    goal: Goal,
    prices: Prices,
    *,
    seed: int,
    settled: Tasks | None = None,
    exhausted: Tasks | None = None,
) -> RoundPlan:
    """What to do next with every task of `truth`.

    Within a budget the tasks whose next votes remove most expected error go first. `settled` are tasks that a person or
    gold has decided; they are never asked about. For `exhausted` ones there is no worker left; they count, but are not
    asked either. `seed` draws the audit sample and nothing else.
    """
    confidence = _confidence(truth)
    open_ = np.ones(len(confidence), dtype=bool)
    if settled is not None:
        open_[settled] = False
    gain = expected_gain(confidence, _skill(truth))
    if exhausted is not None:
        gain[exhausted] = -1.0
    split = _by_error if goal.like_majority_of is None else _by_majority
    asked, person, stopped, loss = split(truth, goal, prices, open_, gain)
    drawn = _sample(stopped[np.argsort(_places(truth)[stopped])], goal.audit_share, seed)
    chosen, deferred, audit = _within_budget(asked, drawn, goal, prices)
    actions = np.full(len(confidence), Action.STOP, dtype=np.int8)
    actions[asked] = Action.ASK
    actions[person] = Action.PERSON
    after = confidence.copy()
    after[chosen] += gain[chosen]
    now, then = (float(1 - values.mean()) if len(values) else 0.0 for values in (confidence, after))
    return RoundPlan(
        actions=actions,
        ask=np.sort(chosen),
        audit=np.sort(audit),
        person=person,
        deferred=np.sort(deferred),
        cost=_money(prices.vote * (len(chosen) + len(audit))),
        person_cost=_money((prices.person or Decimal(0)) * len(person)),
        error_now=now,
        error_next=then,
        guarantee=_guarantee(goal, confidence[stopped], len(audit), loss),
        loss=loss,
    )


def _by_error(
    truth: Truth, goal: Goal, prices: Prices, open_: NDArray[np.bool_], gain: Floats
) -> tuple[Tasks, Tasks, Tasks, float | None]:
    """Tasks to ask, best first, for a person, and stopped: each on its own, by its chance of error."""
    wanted = open_ & ((_confidence(truth) < 1.0 - goal.target_error) | (truth.asked < goal.fewest_votes))
    spent = truth.asked >= goal.most_votes
    if goal.error_cost is not None:
        spent |= (gain * float(goal.error_cost) < float(prices.vote)) & (truth.asked >= goal.fewest_votes)
    asked = np.flatnonzero(wanted & ~spent & (gain >= 0))
    place = _places(truth)
    asked = asked[np.lexsort((place[asked], _close(-gain[asked]), truth.asked[asked] >= goal.fewest_votes))]
    return asked, np.flatnonzero(wanted & (spent | (gain < 0))), np.flatnonzero(open_ & ~wanted), None


def _by_majority(
    truth: Truth, goal: Goal, _prices: Prices, open_: NDArray[np.bool_], gain: Floats
) -> tuple[Tasks, Tasks, Tasks, float | None]:
    """As `_by_error`: the tasks where a vote gains most while the round is not the last, all stopped when it was."""
    wanted, loss = votes_next(truth, goal.like_majority_of or 1.0, open_, allowed=goal.allowed_loss)
    few = open_ & (truth.asked < goal.fewest_votes) & (gain >= 0)
    free = np.flatnonzero(open_ & (truth.asked < goal.most_votes) & (gain >= 0))
    keys = (_places(truth)[free], _close(_confidence(truth)[free]), _close(-gain[free]), ~few[free])
    best = free[np.lexsort(keys)]
    asked = best[: max(wanted, int(few.sum()))]
    undecided = open_ & (truth.status_codes != TaskStatus.DECIDED)
    if len(asked):
        return asked, np.flatnonzero(undecided & (truth.asked >= goal.most_votes)), np.empty(0, dtype=np.intp), loss
    return asked, np.flatnonzero(undecided), np.flatnonzero(open_ & ~undecided), loss


def _places(truth: Truth) -> Tasks:
    """Each task's place in an order that does not depend on the rows: it decides between equals."""
    order = hash_order(truth.votes.task_names)
    places = np.empty(len(order), dtype=np.intp)
    places[order] = np.arange(len(order))
    return places


def _close(values: Floats) -> Floats:
    """Values that differ by less than a fit's own tolerance count as equal."""
    return np.asarray(np.round(values, 6))


def _within_budget(asked: Tasks, audit: Tasks, goal: Goal, prices: Prices) -> tuple[Tasks, Tasks, Tasks]:
    """What is asked now, what waits for money, and the audit, which keeps a tenth of the money when it is short."""
    affordable = len(asked) + len(audit)
    if goal.budget is not None and prices.vote > 0:
        affordable = min(affordable, int(goal.budget // prices.vote))
    audit = audit[: max(affordable // 10, affordable - len(asked))]
    left = affordable - len(audit)
    return asked[:left], asked[left:], audit


def _confidence(truth: Truth) -> Floats:
    """The posterior of the likelier label; a task without votes knows only the class shares."""
    return np.asarray(truth.posterior.max(axis=1, initial=0.0))


def _skill(truth: Truth) -> float:
    """The accuracy of the next vote: the crowd's mean, weighted by activity."""
    votes = truth.workers.votes.astype(np.float64)
    total = float(votes.sum())
    return float(np.clip(votes @ truth.workers.accuracy / total, 0.55, 0.99)) if total else 0.75


def expected_gain(confidence: Floats, skill: float) -> Floats:
    """By how much one more vote is expected to raise the chance of a right label, as part of up to nine more.

    A single vote that cannot turn the label gains nothing, several may: the mean gain per vote of the best of one to
    nine further votes, two labels, votes of accuracy `skill` (preposterior analysis; Raiffa & Schlaifer 1961).
    """
    top = np.clip(confidence, 0.5, 1.0)
    best = np.zeros_like(top)
    for votes in range(1, _LOOKAHEAD + 1):
        expected = np.zeros_like(top)
        for agree in range(votes + 1):
            ways = comb(votes, agree)
            for_label = top * skill**agree * (1 - skill) ** (votes - agree)
            against = (1 - top) * (1 - skill) ** agree * skill ** (votes - agree)
            expected += ways * np.maximum(for_label, against)
        best = np.maximum(best, (expected - top) / votes)
    return np.maximum(best, 0.0)


def _sample(tasks: Tasks, share: float, seed: int) -> Tasks:
    """A share of the tasks, which stand in an order of their own."""
    size = min(len(tasks), int(np.ceil(len(tasks) * share))) if share > 0 else 0
    return np.random.default_rng(seed).choice(tasks, size=size, replace=False)


def _money(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), rounding=ROUND_UP)


def _guarantee(goal: Goal, confidence: Floats, audited: int, loss: float | None) -> str:
    """What may be said of the stopped tasks, and on which condition."""
    if not len(confidence):
        return "No task has stopped yet."
    expected = float(1 - confidence.mean())
    if loss is not None:
        text = _as_good(goal, loss)
    else:
        text = (
            f"If the posteriors are calibrated, each of the {len(confidence)} stopped tasks is wrong with a chance of "
            f"at most {goal.target_error:.0%}, and {expected:.1%} of them are wrong on average."
        )
    if audited:
        return f"{text} {audited} of them, drawn at random, are asked once more to test that condition."
    return f"{text} None of them is asked again, so that nothing tests that condition."


def _as_good(goal: Goal, loss: float) -> str:
    """What is said of labels that stopped because more votes were not expected to make them better."""
    enough = (
        ""
        if loss <= goal.allowed_loss
        else f" {LAST_SHARE:.0%} of these votes are bought, and the rest promises little."
    )
    more = "more" if loss > 0 else "less"
    return (
        "If the missing votes fell like those on the same tasks and by the same crowd, a majority of "
        f"{goal.like_majority_of:g} votes on every task would be right {abs(loss):.1%} {more} often than these labels."
        f"{enough} That is an estimate from the votes, no proof."
    )
