"""What standing together does to answers: faces shown in a proposed group against those of groups shown mixed.

A group is one look, so groups are counted, not faces. The interval of the difference is Newcombe's (1998, method 10),
of two Wilson intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

__all__ = ["Pull", "pull_of"]

_WIDE = 1.96


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

    def text(self) -> str:
        """The comparison for people."""
        meaning = "standing together shows in the answers" if self.over_confident else "no difference is shown by that"
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
        }


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
