"""How many votes a set may still take, as a range: what is known before the answers are.

Measured on sets of 113 to 230 faces by `bench.people` (0.4 to 1.4 votes a face) and of 732; the number of answers that
a model needs hardly grows with the set, the audit does.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

__all__ = ["Forecast", "forecast"]

_LEAST, _MOST = 0.15, 1.2
_TEACHING = 400
"""More open faces than these take few answers more: the model decides their like."""
_BEYOND = 0.1
_AUDIT_MOST = 1.5
"""Votes an audited face may take: what its first answer leaves in doubt is settled by others (1.1 to 1.5 measured)."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """Between `low` and `high` votes are still needed until all is decided and audited."""

    low: int
    high: int

    def __add__(self, other: Forecast) -> Forecast:
        return Forecast(self.low + other.low, self.high + other.high)


def forecast(*, first: int, open_faces: int, audit: int) -> Forecast:
    """`first` votes are due in any case, `open_faces` have no decision yet, `audit` faces will be asked once more."""
    taught = min(open_faces, _TEACHING)
    high = _MOST * taught + _BEYOND * (open_faces - taught)
    low = _LEAST * min(open_faces, _TEACHING // 2)
    return Forecast(first + ceil(low) + audit, first + ceil(high) + ceil(_AUDIT_MOST * audit))
