"""What standing together does to answers: faces shown in a proposed group against those of groups shown mixed.

A group is one look, so groups are counted, not faces. The interval of the difference is Newcombe's (1998, method 10),
of two Wilson intervals.

Where it leaves out 0, the pull is taken out of the answers (`drawn_by`): so often a worker answers as is proposed
whatever the face shows, and what is left was looked at. If s of the answers shown mixed reject, and (1 - d) s of those
shown together, d were drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log, sqrt

__all__ = ["Drawn", "Look", "Pull", "drawn_by", "pull_of", "pull_shown", "weight_of_drawn"]

_WIDE = 1.96
_CROWD = 60.0
"""A worker answers as the crowd surely does (the end of the interval that is nearer to no pull) until as many groups of
their own show otherwise: on made-up crowds from 0 to 0.9 drawn, errors among sure faces fell as far as with the crowd's
own figure, and fewer right answers were doubted. With 20 it was as with that figure."""
_MOST = 0.95
"""No answer counts for nothing."""
_USUAL = 0.85
"""How often a usual worker is right, for methods that weigh votes."""


@dataclass(frozen=True, slots=True)
class Pull:
    """The mean share of answers that reject, over `groups` shown as groups and over `mixed_groups` shown mixed; `low`
    and `high` hold their difference with 95 %."""

    groups: int
    mixed_groups: int
    rejected: float
    rejected_mixed: float
    low: float
    high: float

    @property
    def answers(self) -> int:
        """How many groups can be compared: none unless both kinds were answered."""
        return min(self.groups, self.mixed_groups)

    @property
    def over_confident(self) -> bool:
        """Whether standing together shows in the answers."""
        return self.answers > 0 and not self.low <= 0 <= self.high

    @property
    def to_good(self) -> bool:
        """Whether faces are kept more often where they stand together, not rejected more often."""
        return self.rejected < self.rejected_mixed

    @property
    def drawn(self) -> float:
        """So many of the answers on groups are surely given whatever a face shows, by the end of the interval that is
        nearer to no pull; 0 where none is shown."""
        surely = self.rejected_mixed + (self.high if self.to_good else self.low)
        return _share(surely, self.rejected_mixed, self.to_good) if self.over_confident else 0.0

    def text(self) -> str:
        """The comparison for people."""
        meaning = "no difference is shown by that"
        if self.over_confident:
            word = "keep" if self.to_good else "reject"
            meaning = (
                f"standing together shows in the answers and is taken out of them: {self.drawn:.0%} of the answers on "
                f"groups, or more, {word} whatever the face shows, so one that does counts for less"
            )
        return (
            f"of faces shown in groups {self.rejected:.1%} were rejected ({self.groups} groups), of those shown mixed "
            f"{self.rejected_mixed:.1%} ({self.mixed_groups} groups): a difference of "
            f"{self.rejected - self.rejected_mixed:+.1%}, between {self.low:+.1%} and {self.high:+.1%} (95 % sure); "
            f"{meaning}"
        )

    def as_dict(self) -> dict[str, object]:
        """The figures, for JSON."""
        return {
            "groups": self.groups,
            "mixed_groups": self.mixed_groups,
            "rejected": self.rejected,
            "rejected_mixed": self.rejected_mixed,
            "low": self.low,
            "high": self.high,
            "drawn": self.drawn,
        }


@dataclass(frozen=True, slots=True)
class Look:
    """One worker's answers on one group: the share of them that reject, and whether it stood `together`."""

    worker: str
    group: str
    together: bool
    rejected: float


@dataclass(frozen=True, slots=True)
class Drawn:
    """How often an answer on faces that stand together is given whatever they show: `to_good` ones, or to bad ones;
    `crowd` by somebody of whom nothing is known, `workers` by those of whom something is."""

    to_good: bool
    crowd: float
    workers: Mapping[str, float] = field(default_factory=dict)

    def chance(self, worker: str, *, good: bool) -> float:
        """How likely this worker's answer, given of a face that stood together, was drawn: 0 where it is not the answer
        that is drawn to."""
        return self.workers.get(worker, self.crowd) if good is self.to_good else 0.0


def pull_shown(looks: Sequence[Look]) -> Pull:
    """The comparison by what all who saw a group said of it."""
    shares: dict[tuple[bool, str], list[float]] = defaultdict(list)
    for look in looks:
        shares[look.together, look.group].append(look.rejected)
    kinds = (
        [sum(told) / len(told) for (kind, _), told in shares.items() if kind is at_once] for at_once in (True, False)
    )
    return pull_of(*kinds)


def drawn_by(looks: Sequence[Look]) -> Drawn | None:
    """What is to be taken out of the answers; None where no pull is shown."""
    pull = pull_shown(looks)
    if not pull.over_confident:
        return None
    surely = pull.rejected_mixed + (pull.high if pull.to_good else pull.low)
    own: dict[tuple[str, bool], list[float]] = defaultdict(list)
    for look in looks:
        own[look.worker, look.together].append(look.rejected)

    workers = {}
    for worker in sorted({look.worker for look in looks}):
        one, two = own[worker, True], own[worker, False]
        rejected = (_CROWD * surely + sum(one)) / (_CROWD + len(one))
        apart = (_CROWD * pull.rejected_mixed + sum(two)) / (_CROWD + len(two))
        workers[worker] = _share(rejected, apart, pull.to_good)
    return Drawn(pull.to_good, pull.drawn, workers)


def _share(rejected: float, mixed: float, to_good: bool) -> float:
    """How many answers on groups are drawn where `rejected` of them reject, and `mixed` of those on single faces."""
    left = rejected / mixed if to_good else (1 - rejected) / (1 - mixed)
    return min(max(1 - left, 0.0), _MOST)


def weight_of_drawn(chance: float) -> float:
    """What part of a vote an answer is worth that was drawn with this chance: as much as it still says of the face."""
    right, wrong = chance + (1 - chance) * _USUAL, chance + (1 - chance) * (1 - _USUAL)
    return log(right / wrong) / log(_USUAL / (1 - _USUAL))


def pull_of(together: Sequence[float], mixed: Sequence[float]) -> Pull:
    """Compare groups by the share of their answers that reject, one number a group."""
    if not together or not mixed:
        return Pull(len(together), len(mixed), 0.0, 0.0, -1.0, 1.0)
    one, two = sum(together) / len(together), sum(mixed) / len(mixed)
    (low_one, high_one), (low_two, high_two) = _wilson(one, len(together)), _wilson(two, len(mixed))
    low = one - two - sqrt((one - low_one) ** 2 + (high_two - two) ** 2)
    high = one - two + sqrt((high_one - one) ** 2 + (two - low_two) ** 2)
    return Pull(len(together), len(mixed), one, two, low, high)


def _wilson(share: float, count: int) -> tuple[float, float]:
    """The interval of a share among `count`."""
    middle = share + _WIDE**2 / (2 * count)
    reach = _WIDE * sqrt(share * (1 - share) / count + _WIDE**2 / (4 * count**2))
    scale = 1 + _WIDE**2 / count
    return (middle - reach) / scale, (middle + reach) / scale
