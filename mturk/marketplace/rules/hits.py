"""The HIT's state machine and what may be done to a HIT in which state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DISPOSE_AFTER_MS", "Counts", "HitStatus", "extension_refusal", "status_of"]

HitStatus = Literal["Assignable", "Unassignable", "Reviewable", "Reviewing", "Disposed"]
DISPOSE_AFTER_MS = 120 * 24 * 3600 * 1000
"""MTurk disposed of HITs by itself after 120 days; here: 120 days after it was last reviewable and undecided."""
SMALL = 10
"""A HIT made with fewer places than this may never reach it (the fee doubles there)."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Where a HIT's places are. `submitted` counts undecided ones only."""

    places: int
    held: int
    submitted: int
    approved: int
    rejected: int

    @property
    def free(self) -> int:
        """Places that nobody has taken."""
        return max(0, self.places - self.held - self.submitted - self.approved - self.rejected)


def status_of(counts: Counts, *, expired: bool, reviewing: bool, disposed: bool) -> HitStatus:
    """The status that follows from the places.

    An expired HIT with work still in workers' hands stays Unassignable until the last of it is back; which name MTurk
    used in that window is not recorded, this one keeps DeleteHIT refused as its documentation says.
    """
    if disposed:
        return "Disposed"
    if not expired and counts.free > 0:
        return "Assignable"
    if counts.held > 0:
        return "Unassignable"
    return "Reviewing" if reviewing else "Reviewable"


def extension_refusal(places: int, more: int) -> str:
    """Why `more` places may not be added, or ""."""
    if places < SMALL <= places + more:
        return (
            f"A HIT that was created with fewer than {SMALL} assignments may not be extended to {SMALL} or more: "
            f"it has {places}, and {more} more were asked for."
        )
    if places + more > 1_000_000_000:
        return "A HIT may have at most 1,000,000,000 assignments."
    return ""
