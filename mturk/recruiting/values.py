"""A study (whom to recruit for which work, at what pay), its entries (who came) and its payments. Frozen.

An entry goes  working → pending → approved → paid,  and ends otherwise as declined (no consent), returned (left, timed
out, or there was no work), rejected, or unknown (the panel knows no such submission).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal, NewType
from urllib.parse import quote

__all__ = [
    "OUTCOMES",
    "Entry",
    "EntryId",
    "EntryState",
    "Group",
    "Outcome",
    "Payment",
    "PaymentId",
    "PaymentKind",
    "Profile",
    "Study",
    "StudyStatus",
]

EntryId = NewType("EntryId", int)
PaymentId = NewType("PaymentId", int)
Profile = Literal["link", "prolific"]
StudyStatus = Literal["draft", "published", "paused", "stopped"]
EntryState = Literal["working", "pending", "approved", "paid", "declined", "returned", "rejected", "unknown"]
Outcome = Literal["COMPLETED", "NO_CONSENT", "NO_WORK"]
PaymentKind = Literal["reward", "bonus", "reject", "return"]
OUTCOMES: tuple[Outcome, ...] = ("COMPLETED", "NO_CONSENT", "NO_WORK")


@dataclass(frozen=True, slots=True)
class Group:
    """A group of HITs of the market, and how many people are wanted for it."""

    group_id: str
    places: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """Whom to recruit for which work, at what pay. `source` names where the people come from and keeps them apart.

    `signed`: "person" where each person's link is signed, "study" where the panel fills the ids into one signed link.
    `reward` pays for `hits` HITs together; `floor` is the least pay an hour on measured time; `fee_percent` is what the
    panel takes on top. `codes` are the panel's completion codes by outcome; `complete_url` is where a finished person
    goes, `screened_url` one for whom there was no work or who did not agree, both with `{code}`, `{participant}` and
    `{session}` filled in ("": nowhere, the code is shown).
    """

    key: str
    profile: Profile
    source: str
    title: str
    about: str
    contact: str
    signed: Literal["person", "study"]
    groups: tuple[Group, ...]
    hits: int
    reward: Decimal
    currency: str
    minutes: int
    floor: Decimal
    fee_percent: Decimal
    budget: Decimal | None
    complete_url: str
    screened_url: str
    codes: Mapping[str, str]
    status: StudyStatus = "draft"
    panel_id: str = ""

    @property
    def places(self) -> int:
        """How many people are wanted."""
        return sum(group.places for group in self.groups)

    def back(self, outcome: Outcome, code: str, participant: str, session: str) -> str:
        """Where a person goes afterwards, "" for nowhere. The panel's own code for the outcome comes before ours."""
        url = self.complete_url if outcome == "COMPLETED" else self.screened_url
        for name, value in (
            ("code", self.codes.get(outcome, code)),
            ("participant", participant),
            ("session", session),
        ):
            url = url.replace(f"{{{name}}}", quote(value, safe=""))
        return url

    @property
    def taskflow(self) -> bool:
        """Whether people are divided among groups of HITs, each with its own link."""
        return len(self.groups) > 1

    def fee(self, amount: Decimal) -> Decimal:
        """What the panel takes on top of a payment."""
        return (amount * self.fee_percent / 100).quantize(Decimal("0.01"))

    @property
    def price(self) -> Decimal:
        """What all places cost with fees, before top-ups."""
        return self.places * (self.reward + self.fee(self.reward))

    @property
    def hourly(self) -> Decimal:
        """What the reward is an hour, if it takes as long as expected."""
        return (self.reward * 60 / self.minutes).quantize(Decimal("0.01"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One person in one study; the numbers count this person's HITs in it. `panel_state` is what the panel said
    last."""

    id: EntryId
    study: str
    participant: str
    session: str
    worker_id: str
    group_id: str
    state: EntryState
    outcome: Outcome | None
    code: str
    landed_at: datetime
    finished_at: datetime | None
    redeemed_at: datetime | None
    panel_state: str
    done: int
    approved: int
    rejected: int

    @property
    def seconds(self) -> float | None:
        """From landing to the last page: all the time that the person gave, reading included."""
        return None if self.finished_at is None else (self.finished_at - self.landed_at).total_seconds()

    @property
    def undecided(self) -> int:
        """HITs that were handed in and are not decided yet."""
        return self.done - self.approved - self.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment or refusal that was meant: `intent` → `paying` (may have been sent) → `done`.

    `ref` is the panel's own id of it, kept before it is paid; `pay_list` is the list by which it is paid outside.
    """

    id: PaymentId
    entry: EntryId
    kind: PaymentKind
    amount: Decimal
    fee: Decimal
    reason: str
    ref: str
    status: Literal["intent", "paying", "done"]
    intent_at: datetime
    paying_at: datetime | None
    done_at: datetime | None
    pay_list: int
