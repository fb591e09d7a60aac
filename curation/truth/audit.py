"""What an audit says: settled faces, drawn at random and asked once more, against what their decisions promised."""

from __future__ import annotations

from dataclasses import dataclass

from ..learn.bound import CONFIDENCE, Proof, upper_bound
from ..learn.pull import Pull
from .result import Truth
from .votes import VotesTable

__all__ = ["Audit", "AuditResult", "check_audit"]


@dataclass(frozen=True, slots=True)
class Audit:
    """`against` of `answers` answers on audited faces contradict the decision that stood without them; `expected`
    would, if posteriors and skills held: an answer may be wrong where the decision is right."""

    answers: int
    against: int
    expected: float

    @property
    def low(self) -> float:
        """The share of contradicting answers is at least this: the exact binomial interval (Clopper & Pearson 1934)."""
        return 1 - upper_bound(self.answers - self.against, self.answers, _ONE_SIDE) if self.answers else 0.0

    @property
    def high(self) -> float:
        """And at most this, 95 % sure for both."""
        return upper_bound(self.against, self.answers, _ONE_SIDE)

    @property
    def over_confident(self) -> bool:
        """Whether more answers contradict than the posteriors allow."""
        return self.answers > 0 and self.low > self.expected / self.answers

    def text(self) -> str:
        """The result for people."""
        if not self.answers:
            return "no answers on audited faces yet"
        told = (
            f"{self.against} of {self.answers} answers on audited faces contradict the decision: "
            f"{self.low:.1%} to {self.high:.1%} (exact 95 % interval), {self.expected / self.answers:.1%} expected"
        )
        return f"{told}. More than the posteriors promise: trust them less" if self.over_confident else told

    def as_dict(self) -> dict[str, object]:
        """The figures, for JSON."""
        return {
            "answers": self.answers,
            "against": self.against,
            "expected": self.expected,
            "low": self.low,
            "high": self.high,
            "over_confident": self.over_confident,
        }


_ONE_SIDE = 1 - (1 - CONFIDENCE) / 2


AuditResult = Audit | Proof | Pull
"""What an audit found: answers against decisions, wrong decisions and the bound that they prove, or what
standing together does."""


def check_audit(before: Truth, votes: VotesTable) -> Audit:
    """Compare `votes`, cast on stopped tasks of `before` after it was made, with its posteriors.

    A vote agrees with probability Σ posterior × the worker's confusion; unknown workers get the crowd's mean.
    """
    tasks = {name: code for code, name in enumerate(before.votes.task_names)}
    workers = {name: code for code, name in enumerate(before.workers.names)}
    labels = [
        before.votes.label_names.index(name) if name in before.votes.label_names else -1 for name in votes.label_names
    ]
    mean = before.workers.confusion.mean(axis=0)
    against, agreeing, counted = 0, 0.0, 0
    for worker, task, label in zip(votes.workers.tolist(), votes.tasks.tolist(), votes.labels.tolist(), strict=True):
        code = tasks.get(votes.task_names[task], -1)
        if code < 0 or before.label[code] < 0:
            continue
        row = workers.get(votes.worker_names[worker], -1)
        confusion = before.workers.confusion[row] if row >= 0 else mean
        agreeing += float(before.posterior[code] @ confusion[:, before.label[code]])
        against += int(labels[label] != before.label[code])
        counted += 1
    return Audit(counted, against, counted - agreeing)
