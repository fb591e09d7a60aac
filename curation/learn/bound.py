"""What a random blind audit proves: at most so many of the decided faces are wrong, with 95 % confidence.

Clopper & Pearson 1934: the exact binomial bound. An auditor may overlook what is wrong, so the share that would be
noticed is bounded first and divided by the chance of noticing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log

__all__ = ["CONFIDENCE", "Audit", "audit_size", "upper_bound"]

CONFIDENCE = 0.95


def upper_bound(wrong: int, asked: int, confidence: float = CONFIDENCE) -> float:
    """The largest share of wrong ones under which so few among `asked` random ones had a chance of 1 - `confidence`."""
    if asked <= 0 or wrong >= asked:
        return 1.0
    from scipy.stats import beta

    return float(beta.ppf(confidence, wrong + 1, asked - wrong))


@dataclass(frozen=True, slots=True)
class Audit:
    """`asked` decided faces, drawn at random and asked blind, of which `wrong` were decided otherwise than people then
    said; `noticing` is the chance that an auditor's answer shows a wrong decision; `decided` is how many it speaks of.
    """

    asked: int
    wrong: int
    noticing: float = 1.0
    decided: int = 0

    @property
    def bound(self) -> float:
        """At most this share of the decided faces is wrong, 95 % sure; 1 where nothing was asked."""
        return min(1.0, upper_bound(self.wrong, self.asked) / max(self.noticing, 1e-6))

    def more_for(self, bound: float) -> int:
        """How many more faces would have to be asked for this bound, if none of them is wrong; 0 where it holds."""
        if self.bound <= bound:
            return 0
        low, high = self.asked, max(2 * self.asked, 16)
        while upper_bound(self.wrong, high) / max(self.noticing, 1e-6) > bound:
            high *= 2
        while high - low > 1:
            middle = (low + high) // 2
            if upper_bound(self.wrong, middle) / max(self.noticing, 1e-6) > bound:
                low = middle
            else:
                high = middle
        return high - self.asked


def audit_size(bound: float, confidence: float = CONFIDENCE) -> int:
    """So many faces prove `bound` if none of them is wrong."""
    return ceil(log(1 - confidence) / log(1 - bound))
