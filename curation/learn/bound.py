"""What a random blind audit proves: at most so many of the decided faces are wrong, with 95 % confidence.

Clopper & Pearson 1934: the exact binomial bound. An auditor may overlook what is wrong, so the share that would be
noticed is bounded first and divided by the chance of noticing. It speaks of the decisions as they stood when the audit
began; what the audit found is corrected since, and still counted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["CONFIDENCE", "Proof", "upper_bound"]

CONFIDENCE = 0.95
_PROMISED = 0.05
_TIGHTER = (0.05, 0.02, 0.01, 0.005)
"""Bounds that are offered next."""


def upper_bound(wrong: int, asked: int, confidence: float = CONFIDENCE) -> float:
    """The largest share of wrong ones under which so few among `asked` random ones had a chance of 1 - `confidence`."""
    if asked <= 0 or wrong >= asked:
        return 1.0
    from scipy.stats import beta

    return float(beta.ppf(confidence, wrong + 1, asked - wrong))


@dataclass(frozen=True, slots=True)
class Proof:
    """`asked` decided faces, drawn at random and asked blind, of which `wrong` turned out to be decided wrongly and
    `unsettled` may be: they count as wrong until others have settled them. `noticing` is the chance that the audit
    shows a wrong decision; `decided` is how many it speaks of. `price` says what so many more faces cost, "" where that
    is not known.
    """

    asked: int
    wrong: int
    noticing: float = 1.0
    decided: int = 0
    unsettled: int = 0
    price: Callable[[int], str] = field(default=lambda _faces: "", compare=False)

    @property
    def bound(self) -> float:
        """At most this share of the decided faces is wrong, 95 % sure; 1 where nothing was asked."""
        return min(1.0, self._at_most(self.asked))

    def _at_most(self, asked: int) -> float:
        return upper_bound(self.wrong + self.unsettled, asked) / max(self.noticing, 1e-6)

    @property
    def answers(self) -> int:
        return self.asked

    @property
    def over_confident(self) -> bool:
        """Whether more decisions were wrong than their posteriors allow (one in twenty)."""
        return self.asked > 0 and self.wrong / self.asked > _PROMISED

    def text(self) -> str:
        """The result for people, and what a tighter bound would take."""
        if not self.asked:
            return "no decided face was asked once more yet, so nothing is proved"
        doubt = f" and {self.unsettled} {'is' if self.unsettled == 1 else 'are'} not settled" if self.unsettled else ""
        told = (
            f"of {self.asked} decided {_faces(self.asked)}, drawn at random and asked once more, {self.wrong} "
            f"{'was' if self.wrong == 1 else 'were'} wrong{doubt}: at most {self.bound:.1%} of the {self.decided} "
            f"decided faces are wrong (95 % sure){', those corrected since still counted' if self.wrong else ''}"
        )
        target = next((share for share in _TIGHTER if share < 0.8 * self.bound), None)
        more = self.more_for(target) if target is not None else 0
        if not more or self.asked + more > self.decided:
            return told
        price = self.price(more)
        cost = f" (about {price})" if price else ""
        return f"{told}; {more} more {_faces(more)} asked{cost} would prove {target:.1%} if none of them is wrong"

    def as_dict(self) -> dict[str, object]:
        """The figures, for JSON."""
        return {
            "answers": self.asked,
            "against": self.wrong,
            "unsettled": self.unsettled,
            "noticing": self.noticing,
            "decided": self.decided,
            "bound": self.bound,
        }

    def more_for(self, bound: float) -> int:
        """How many more faces would have to be asked for this bound, if none of them is wrong; 0 where it holds."""
        if self.bound <= bound:
            return 0
        low, high = self.asked, max(2 * self.asked, 16)
        while self._at_most(high) > bound:
            high *= 2
        while high - low > 1:
            middle = (low + high) // 2
            if self._at_most(middle) > bound:
                low = middle
            else:
                high = middle
        return high - self.asked


def _faces(count: int) -> str:
    return "face" if count == 1 else "faces"
