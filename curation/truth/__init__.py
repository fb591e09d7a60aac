"""Truth from votes: labels, posteriors and skills out of any worker,task,label table; agreement; who to ask next."""

from typing import TYPE_CHECKING

from ...lazy import public

if TYPE_CHECKING:
    from ..errors import VotesError
    from .adaptive import Goal, Prices, RoundPlan, plan_round
    from .aggregation import DECIDE_AT, METHOD_NAMES, aggregate
    from .agreement import (
        Agreement,
        Interval,
        LabelAgreement,
        Pairwise,
        fleiss_kappa,
        krippendorff_alpha,
        krippendorff_alpha_interval,
        label_agreements,
        overall_agreement,
        pairwise_agreement,
        reading_of,
        unanimous_share,
    )
    from .files import VotesFile, read_gold, read_votes, write_decisions
    from .result import State, TaskStatus, Truth, WorkerSkills
    from .votes import VotesTable, code_gold, vote_counts

__all__ = [
    "DECIDE_AT",
    "METHOD_NAMES",
    "Agreement",
    "Goal",
    "Interval",
    "LabelAgreement",
    "Pairwise",
    "Prices",
    "RoundPlan",
    "State",
    "TaskStatus",
    "Truth",
    "VotesError",
    "VotesFile",
    "VotesTable",
    "WorkerSkills",
    "aggregate",
    "code_gold",
    "fleiss_kappa",
    "krippendorff_alpha",
    "krippendorff_alpha_interval",
    "label_agreements",
    "overall_agreement",
    "pairwise_agreement",
    "plan_round",
    "read_gold",
    "read_votes",
    "reading_of",
    "unanimous_share",
    "vote_counts",
    "write_decisions",
]

__getattr__, __dir__ = public(
    __name__,
    {
        ".agreement": "Agreement Interval LabelAgreement Pairwise fleiss_kappa krippendorff_alpha "
        "krippendorff_alpha_interval label_agreements overall_agreement pairwise_agreement reading_of unanimous_share",
        "..errors": "VotesError",
        ".adaptive": "Goal Prices RoundPlan plan_round",
        ".aggregation": "DECIDE_AT METHOD_NAMES aggregate",
        ".files": "VotesFile read_gold read_votes write_decisions",
        ".result": "State TaskStatus Truth WorkerSkills",
        ".votes": "VotesTable code_gold vote_counts",
    },
)
