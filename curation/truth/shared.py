"""One crowd, several questions: what a worker's answers to one say about the answers to another.

Skill differs by question, but not freely: who is careless with one tends to be careless with the other. How far that
holds is estimated from the workers who answered both, as the correlation of their log-odds of being right; it becomes
pseudo-votes in each question's model, none when the correlation is nil.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .aggregation import DECIDE_AT, aggregate
from .result import State, Truth
from .votes import VotesTable

__all__ = ["Transfer", "aggregate_questions", "transfer_between"]

Floats = NDArray[np.float64]

_MOST_PSEUDO_VOTES = 10.0
_ENOUGH_VOTES = 6
_ENOUGH_WORKERS = 5


@dataclass(frozen=True, slots=True)
class Transfer:
    """`correlation` of skills between two questions (0 to 1) over `workers` who answered both often enough."""

    correlation: float
    workers: int


def aggregate_questions(
    tables: Mapping[str, VotesTable],
    *,
    gold: Mapping[str, Mapping[str, str]] | None = None,
    prior: Mapping[str, Floats] | None = None,
    warm: Mapping[str, State] | None = None,
    decide_at: float = DECIDE_AT,
    single_votes_decide: bool = False,
) -> dict[str, Truth]:
    """`auto` on each question, the second time with what the others say about its workers.

    With one question, or where skills do not go together, the result is that of `aggregate`.
    """
    known, priors, states = gold or {}, prior or {}, warm or {}

    def run(name: str, skills: Mapping[str, tuple[float, float]] | None) -> Truth:
        return aggregate(
            tables[name],
            gold=known.get(name),
            prior=priors.get(name),
            warm=states.get(name),
            decide_at=decide_at,
            skills=skills,
            single_votes_decide=single_votes_decide,
        )

    alone = {name: run(name, None) for name in tables}
    together = {}
    for name in tables:
        skills = _skills_for(alone[name], [other for key, other in alone.items() if key != name])
        together[name] = run(name, skills) if skills else alone[name]
    return together


def transfer_between(left: Truth, right: Truth) -> Transfer:
    """How far skill on one question goes with skill on the other, freed of few votes' noise, shrunk for few workers."""
    pairs = [(a, b) for _, a, b in _both(left, right)]
    if len(pairs) < _ENOUGH_WORKERS:
        return Transfer(0.0, len(pairs))
    one, other = np.array(pairs).T
    if one.std() < 1e-9 or other.std() < 1e-9:
        return Transfer(0.0, len(pairs))
    found = float(np.corrcoef(one, other)[0, 1]) / np.sqrt(_reliability(left) * _reliability(right))
    shrunk = min(max(found, 0.0), 1.0) * len(pairs) / (len(pairs) + _ENOUGH_WORKERS)
    return Transfer(float(shrunk), len(pairs))


def _reliability(truth: Truth) -> float:
    """The part of the spread of log-odds that is skill, not the noise of few votes (delta method), at least 0.3."""
    counted = truth.workers.votes >= _ENOUGH_VOTES
    accuracy = np.clip(truth.workers.accuracy[counted], 0.05, 0.95)
    noise = float((1.0 / (truth.workers.votes[counted] * accuracy * (1 - accuracy))).mean())
    spread = float(_log_odds(truth)[counted].var())
    return max(1.0 - noise / (spread + noise), 0.3)


def _both(left: Truth, right: Truth) -> list[tuple[str, float, float]]:
    """(worker, log-odds on the left, log-odds on the right) of workers with enough votes on both."""
    there = {name: row for row, name in enumerate(right.workers.names)}
    odds = _log_odds(left), _log_odds(right)
    found = []
    for row, name in enumerate(left.workers.names):
        other = there.get(name)
        if other is None or min(left.workers.votes[row], right.workers.votes[other]) < _ENOUGH_VOTES:
            continue
        found.append((name, float(odds[0][row]), float(odds[1][other])))
    return found


def _log_odds(truth: Truth) -> Floats:
    accuracy = np.clip(truth.workers.accuracy, 0.05, 0.95)
    return np.asarray(np.log(accuracy / (1 - accuracy)))


def _skills_for(truth: Truth, others: list[Truth]) -> dict[str, tuple[float, float]]:
    """Worker → (expected accuracy here, pseudo-votes it is worth), from the question that tells most."""
    if not others:
        return {}
    found = [(transfer_between(truth, other).correlation, other) for other in others]
    correlation, other = max(found, key=lambda one: one[0])
    if correlation < 0.1:
        return {}
    here, there = _log_odds(truth), _log_odds(other)
    mean, spread = float(here.mean()), float(here.std())
    deviation = (there - there.mean()) / max(float(there.std()), 1e-9)
    skills = {}
    for row, name in enumerate(other.workers.names):
        expected = 1 / (1 + np.exp(-(mean + correlation * spread * deviation[row])))
        votes = correlation**2 * min(float(other.workers.votes[row]), _MOST_PSEUDO_VOTES)
        skills[name] = (float(expected), votes)
    return skills
