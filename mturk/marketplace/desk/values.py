"""What the worker-side use cases return. Frozen; money is Decimal, times are aware UTC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from ...recruiting.values import Entry, Study
from ..rules.questions import Question

__all__ = [
    "Appeal",
    "DayEarnings",
    "Earnings",
    "Fields",
    "FrameDocument",
    "Group",
    "GroupPage",
    "Held",
    "Invite",
    "Message",
    "Preview",
    "QualificationEntry",
    "Record",
    "RecordPage",
    "Session",
    "Submission",
    "Taken",
    "TestPaper",
    "Unmet",
    "Way",
    "Welcome",
    "Worker",
]

Fields = Iterable[tuple[str, str]]
"""A posted form: (name, value) in the order of the form; a name may occur more than once."""


@dataclass(frozen=True, slots=True)
class Worker:
    """A person who works here. `worker_id` is what requesters see; `name` is what the person signs in with; `source`
    is the panel that a recruited person came from, who has no name and signs in by a link."""

    worker_id: str
    name: str
    country: str
    subdivision: str
    joined_at: datetime
    source: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in worker. `token` is the cookie's value; only its hash is stored."""

    token: str
    worker: Worker
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Invite:
    """A link to join. `token` goes into `/join/<token>`."""

    token: str
    note: str
    expires_at: datetime
    uses_left: int


@dataclass(frozen=True, slots=True)
class Unmet:
    """A requirement of a HIT that this worker does not meet."""

    qualification_type_id: str
    name: str
    requirement: str
    """In words: "at least 80"."""
    have: str
    """The worker's own value in words, "" if there is none."""
    can_request: bool
    has_test: bool


@dataclass(frozen=True, slots=True)
class Group:
    """HITs of one kind, as listed to one worker: `group_id` is its newest HIT type's, the figures are those of all."""

    group_id: str
    hit_type_id: str
    title: str
    description: str
    keywords: tuple[str, ...]
    requester_id: str
    requester_name: str
    reward: Decimal
    available: int
    """HITs of the group that this worker could accept now, as far as counting went."""
    duration: timedelta
    created_at: datetime
    expires_at: datetime
    unmet: tuple[Unmet, ...]
    can_preview: bool
    median_seconds: float | None
    """Median from accept to submit over the group's submitted work; None before any."""
    hourly: Decimal | None
    """Reward at that median, per hour."""
    approval_rate: float | None
    """Share of the requester's decided assignments that were approved, 0 to 1."""

    @property
    def qualified(self) -> bool:
        """True where the worker meets every requirement."""
        return not self.unmet


@dataclass(frozen=True, slots=True)
class GroupPage:
    """One page of groups; `next_cursor` is None on the last. Not all are counted where there are more
    than a thousand: then `total` is a thousand and `all_counted` false."""

    groups: tuple[Group, ...]
    next_cursor: str | None
    total: int
    all_counted: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """A HIT to look at before accepting it. Put `frame_url` into the sandboxed iframe."""

    hit_id: str
    group: Group
    frame_url: str
    frame_height: int


@dataclass(frozen=True, slots=True)
class Held:
    """An assignment that the worker holds. Put `frame_url` into the sandboxed iframe. `group.available` is not
    counted."""

    assignment_id: str
    hit_id: str
    group: Group
    accepted_at: datetime
    deadline: datetime
    frame_url: str
    frame_height: int
    draft_saved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Taken:
    """An assignment that was accepted just now, or is held already."""

    assignment_id: str
    hit_id: str


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of a submit. `repeated` where the same assignment had been submitted before (nothing changed)."""

    assignment_id: str
    hit_id: str
    group_id: str
    worker_id: str
    status: Literal["Submitted", "Approved", "Rejected"]
    repeated: bool


@dataclass(frozen=True, slots=True)
class Appeal:
    """A worker's objection to a rejection; `answer` and `decided_at` once somebody else than the requester decided."""

    text: str
    sent_at: datetime
    answer: str = ""
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A past assignment."""

    assignment_id: str
    hit_id: str
    group_id: str
    title: str
    requester_name: str
    reward: Decimal
    bonus: Decimal
    status: Literal["Submitted", "Approved", "Rejected", "Returned", "Abandoned"]
    accepted_at: datetime
    submitted_at: datetime | None
    decided_at: datetime | None
    auto_approval_at: datetime | None
    feedback: str
    appeal: Appeal | None
    can_appeal: bool


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One page of past assignments, newest first."""

    records: tuple[Record, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class DayEarnings:
    """One UTC day, by the day of submission: "2026-11-22"."""

    day: str
    submitted: int
    approved: int
    earned: Decimal
    pending: Decimal


@dataclass(frozen=True, slots=True)
class Earnings:
    """What the worker earned. `hourly` is (approved rewards + bonuses) over the seconds of all submitted work."""

    submitted: int
    approved: int
    rejected: int
    pending: int
    returned: int
    approved_pay: Decimal
    bonuses: Decimal
    pending_pay: Decimal
    seconds: int
    hourly: Decimal | None
    days: tuple[DayEarnings, ...]

    @property
    def total(self) -> Decimal:
        """Approved rewards and bonuses."""
        return self.approved_pay + self.bonuses


@dataclass(frozen=True, slots=True)
class Message:
    """A message in the worker's inbox."""

    message_id: str
    sender: str
    subject: str
    text: str
    sent_at: datetime
    read: bool


@dataclass(frozen=True, slots=True)
class QualificationEntry:
    """A qualification type as one worker sees it."""

    qualification_type_id: str
    name: str
    description: str
    requester_name: str
    status: Literal["Granted", "Revoked", "Pending", "Rejected", "None"]
    value: int | None
    reason: str
    has_test: bool
    can_request: bool
    retry_at: datetime | None


@dataclass(frozen=True, slots=True)
class TestPaper:
    """A qualification test that the worker has begun; answers are due by `deadline`."""

    request_id: str
    entry: QualificationEntry
    question: Question
    deadline: datetime


@dataclass(frozen=True, slots=True)
class FrameDocument:
    """What the frame origin has to serve for one frame link.

    The four names of the frame contract are in the document's own URL already (`frame_url` carries them); for an
    ExternalQuestion redirect to, or embed, `external_url`, which has them appended. `submit_url` is
    `{turk_submit_to}/mturk/externalSubmit`. In a preview `assignment_id` is ASSIGNMENT_ID_NOT_AVAILABLE,
    `worker_id` is "" and nothing can be submitted. `seen`: the worker has handed in a page that asks the same.
    """

    question: Question
    hit_id: str
    assignment_id: str
    worker_id: str
    turk_submit_to: str
    submit_url: str
    external_url: str
    preview: bool
    draft: Mapping[str, tuple[str, ...]]
    seen: bool = False


@dataclass(frozen=True, slots=True)
class Welcome:
    """What somebody sees who followed a genuine link: the study, and `stamp`, when the page was shown. `state` is the
    person's own so far, "" at the first visit."""

    study: Study
    stamp: str
    state: str


@dataclass(frozen=True, slots=True)
class Way:
    """How far a recruited person is: `held` is the assignment at hand ("": none), `more` whether there is another to
    do, `back` where to go when all is done ("": nowhere)."""

    study: Study
    entry: Entry
    held: str
    more: bool
    back: str

    @property
    def may_finish(self) -> bool:
        """Whether everything was done that there was to do."""
        return not self.held and not self.more and self.entry.state == "working"
