"""What every panel can be asked, and the panel that is no service: signed links, paid by a list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from ...recruiting.values import Study, StudyStatus
from ..errors import PanelError

__all__ = ["REASON_LENGTH", "Action", "Category", "LinkPanel", "Panel", "Submission", "checked_reason"]

Action = Literal["PUBLISH", "PAUSE", "START", "STOP"]
Category = Literal[
    "TOO_QUICKLY", "TOO_SLOWLY", "FAILED_INSTRUCTIONS", "INCOMP_LONGITUDINAL", "FAILED_CHECK", "LOW_EFFORT",
    "MALINGERING", "NO_CODE", "BAD_CODE", "NO_DATA", "UNSUPP_DEVICE", "OTHER",
]  # fmt: skip
REASON_LENGTH = 100
"""A refusal says in at least so many characters why: Prolific's rule, and a good one everywhere."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What a panel says of one person's work. `bonuses` were paid on it already."""

    session: str
    participant: str
    status: str
    code: str
    bonuses: tuple[Decimal, ...]


class Panel(Protocol):
    """A panel. Everything that changes something raises PanelUnreachable (never sent), PanelDoubt (it may have been
    done) or PanelRefused (it was not done)."""

    pays: bool
    """Whether the panel itself pays; else a list of who is to be paid is made."""

    def draft(self, study: Study, links: Sequence[tuple[str, int]]) -> str:
        """The panel's id of the study, made as a draft where it is not there yet. `links`: (address, places)."""

    def drop(self, study: Study) -> None:
        """Take the draft back, if there is one; what was published stays, and is refused."""

    def change(self, study: Study, action: Action) -> StudyStatus:
        """Publish, pause, start again or stop; where the study stands after it."""

    def submissions(self, study: Study) -> Mapping[str, Submission] | None:
        """Session → what the panel says of it; None where it says nothing."""

    def submission(self, session: str) -> Submission | None:
        """One of them, now."""

    def approve(self, session: str) -> None:
        """Pay the reward."""

    def reject(self, session: str, reason: str, category: Category) -> None:
        """Refuse the reward; the person reads the reason."""

    def ask_return(self, session: str) -> None:
        """Ask the person to give the place back: there was no work."""

    def create_bonus(self, study: Study, session: str, amount: Decimal) -> str:
        """Set up a bonus that is not paid yet; the panel's id of it."""

    def pay_bonus(self, ref: str) -> None:
        """Pay what was set up. Twice would pay twice."""


def checked_reason(reason: str) -> str:
    """A reason of substance. Raises PanelError for one that is too short."""
    reason = " ".join(reason.split())
    if len(reason) < REASON_LENGTH:
        raise PanelError(
            f"A refusal needs a reason of at least {REASON_LENGTH} characters ({len(reason)} were given): say what was "
            "asked, what was handed in, and how the person can answer. Nothing was refused."
        )
    return reason


class LinkPanel:
    """No service behind it: CloudResearch Connect, SONA, a classroom. Who is paid stands on a list."""

    pays = False

    def draft(self, study: Study, links: Sequence[tuple[str, int]]) -> str:
        return ""

    def drop(self, study: Study) -> None:
        """Nothing stands there."""

    def change(self, study: Study, action: Action) -> StudyStatus:
        after: dict[Action, StudyStatus] = {
            "PUBLISH": "published",
            "START": "published",
            "PAUSE": "paused",
            "STOP": "stopped",
        }
        return after[action]

    def submissions(self, study: Study) -> None:
        return None

    def submission(self, session: str) -> None:
        return None

    def approve(self, session: str) -> None:
        """Nothing to send: the list pays."""

    def reject(self, session: str, reason: str, category: Category) -> None:
        """Nothing to send: who is refused is on no list."""

    def ask_return(self, session: str) -> None:
        """Nothing to send."""

    def create_bonus(self, study: Study, session: str, amount: Decimal) -> str:
        return ""

    def pay_bonus(self, ref: str) -> None:
        """Nothing to send: the list pays."""
