"""Truth from votes: pure functions of integer-coded arrays."""

from .aggregation import DECIDE_AT, METHOD_NAMES, aggregate
from .result import State, TaskStatus, Truth, WorkerSkills
from .votes import VotesTable, code_gold, vote_counts

__all__ = [
    "DECIDE_AT",
    "METHOD_NAMES",
    "State",
    "TaskStatus",
    "Truth",
    "VotesTable",
    "WorkerSkills",
    "aggregate",
    "code_gold",
    "vote_counts",
]
