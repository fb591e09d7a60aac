"""A marketplace in memory for the pages: `FakeWork` behaves as `Work` promises, with one worker and a few groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from galloway.mturk.marketplace import errors
from galloway.mturk.marketplace.config import MarketConfig
from galloway.mturk.marketplace.desk.values import (
    Appeal,
    DayEarnings,
    Earnings,
    FrameDocument,
    Group,
    GroupPage,
    Held,
    Invite,
    Message,
    Preview,
    QualificationEntry,
    Record,
    RecordPage,
    Session,
    Submission,
    TestPaper,
    Worker,
)
from galloway.mturk.marketplace.office.overview import (
    AppealRow,
    FailureRow,
    HitRow,
    Overview,
    RequesterRow,
    StuckRow,
    WorkerRow,
)
from galloway.mturk.marketplace.rules.questions import Question

__all__ = ["NOT_AVAILABLE", "NOW", "FakeDesk", "FakeWork", "config", "group"]

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
NOT_AVAILABLE = "ASSIGNMENT_ID_NOT_AVAILABLE"


def config(**changes: Any) -> MarketConfig:
    """A config whose clock stands still, with the addresses that the fakes use."""
    values: dict[str, Any] = {
        "state_dir": Path("unused"),
        "worker_url": "http://work.example",
        "frame_url": "http://frames.test",
        "clock": lambda: NOW,
    }
    return MarketConfig(**(values | changes))


def group(group_id: str = "3GROUP1", **changes: Any) -> Group:
    """A group with one kind of HIT."""
    values: dict[str, Any] = {
        "group_id": group_id,
        "hit_type_id": "3TYPE1",
        "title": "Keep the good faces <b>",
        "description": "Look at faces.",
        "keywords": ("face",),
        "requester_id": "AREQ",
        "requester_name": "A studio",
        "reward": Decimal("0.15"),
        "available": 3,
        "duration": timedelta(minutes=30),
        "created_at": NOW,
        "expires_at": NOW + timedelta(days=3),
        "unmet": (),
        "can_preview": True,
        "median_seconds": 61.0,
        "hourly": Decimal("8.85"),
        "approval_rate": 0.97,
    }
    return Group(**(values | changes))


class FakeWork:
    """One invite, one worker, one HIT per group; keeps what is posted."""

    def __init__(self, question: Question | None = None, groups: Iterable[Group] = (group(),)) -> None:
        self.question = question or Question("html", 0, html="<html><body><p>hello</p></body></html>")
        self.all_groups = tuple(groups)
        self.worker = Worker("AWORKER1", "ann", "DE", "", NOW)
        self.sessions: set[str] = set()
        self.holding: dict[str, Held] = {}
        self.records: dict[str, Record] = {}
        self.submitted: dict[str, list[tuple[str, str]]] = {}
        self.drafts: dict[str, dict[str, tuple[str, ...]]] = {}
        self.inbox: tuple[Message, ...] = (Message("m1", "A studio", "Hello", "Thank you", NOW, False),)
        self.entries: tuple[QualificationEntry, ...] = ()
        self.paper: TestPaper | None = None
        self.calls: list[tuple[Any, ...]] = []
        self.closed = False
        self.addresses: list[str] = []

    # -- joining and signing in
    def invite(self, *, note: str = "", uses: int = 1, valid: timedelta = timedelta(days=14)) -> Invite:
        self.calls.append(("invite", note, uses))
        return Invite("inv1", note, NOW + valid, uses)

    def read_invite(self, token: str) -> Invite:
        if token != "inv1":
            raise errors.NotFound("This invite link is not valid any more.")
        return Invite(token, "Welcome", NOW, 1)

    def join(self, token: str, *, name: str, password: str, country: str = "", subdivision: str = "") -> Session:
        self.read_invite(token)
        if len(password) < 8:
            raise errors.BadForm("Choose a password of at least 8 characters.")
        self.worker = replace(self.worker, name=name, country=country)
        return self._session()

    def sign_in(self, name: str, password: str, *, address: str) -> Session:
        self.addresses.append(address)
        if name == "busy":
            raise errors.SlowDown("Too many tries. Wait 5 minutes.", 300)
        if (name, password) != (self.worker.name, "secret123"):
            raise errors.SignInRefused("Name and password do not fit.")
        return self._session()

    def _session(self) -> Session:
        self.sessions.add("tok")
        return Session("tok", self.worker, NOW + timedelta(days=30))

    def worker_of(self, session_token: str) -> Worker | None:
        return self.worker if session_token in self.sessions else None

    def sign_out(self, session_token: str) -> None:
        self.sessions.discard(session_token)

    def change_password(self, worker_id: str, old: str, new: str, *, keep: str) -> None:
        if old != "secret123":
            raise errors.SignInRefused("That is not your password.")
        if len(new) < 8:
            raise errors.BadForm("Choose a password of 8 to 200 characters.")
        self.calls.append(("password", new, keep))

    def leave(self, worker_id: str, password: str) -> None:
        if password != "secret123":
            raise errors.SignInRefused("That is not your password.")
        self.closed = True
        self.sessions.clear()

    # -- finding work
    def groups(self, worker_id: str, **filters: Any) -> GroupPage:
        self.calls.append(("groups", filters))
        return GroupPage(self.all_groups, None, len(self.all_groups), True)

    def group(self, worker_id: str, group_id: str) -> Group:
        for found in self.all_groups:
            if group_id in (found.group_id, found.hit_type_id):
                return found
        raise errors.NotFound(f"There is no group {group_id}.")

    def preview(self, worker_id: str, *, group_id: str = "", hit_id: str = "") -> Preview:
        found = self.group(worker_id, group_id or self.all_groups[0].group_id)
        return Preview(
            hit_id or "3HIT1", found, "http://frames.test/frame/preview?assignmentId=x", self.question.frame_height
        )

    def away(self, error: Exception) -> None:
        self.calls.append(("away", type(error).__name__))

    # -- working
    def accept(self, worker_id: str, *, group_id: str = "", hit_id: str = "", once: str = "") -> Held:
        self.calls.append(("accept", {"once": once}))
        found = self.group(worker_id, group_id)
        if found.unmet:
            raise errors.NotEligible("A qualification is missing.", found.unmet)
        if found.available == 0:
            raise errors.NothingAvailable("Somebody else was faster.")
        held = Held(
            "3ASSIGN1", hit_id or "3HIT1", found, NOW, NOW + found.duration, "http://frames.test/frame/work", 0, None
        )
        self.holding[held.assignment_id] = held
        return held

    def current(self, worker_id: str) -> tuple[Held, ...]:
        return tuple(self.holding.values())

    def held(self, worker_id: str, assignment_id: str) -> Held:
        if assignment_id not in self.holding:
            raise errors.NotFound("You do not hold this task.")
        return self.holding[assignment_id]

    def return_(self, worker_id: str, assignment_id: str) -> None:
        self.holding.pop(assignment_id, None)

    # -- the frame
    def open_frame(self, token: str) -> FrameDocument:
        if token not in ("preview", "work"):
            raise errors.NotFound("This link is broken.")
        preview = token == "preview"
        return FrameDocument(
            question=self.question,
            hit_id="3HIT1",
            assignment_id=NOT_AVAILABLE if preview else "3ASSIGN1",
            worker_id="" if preview else self.worker.worker_id,
            turk_submit_to="http://frames.test",
            submit_url="http://frames.test/mturk/externalSubmit",
            external_url=f"{self.question.external_url}?assignmentId=3ASSIGN1" if self.question.external_url else "",
            preview=preview,
            draft={} if preview else self.drafts.get("3ASSIGN1", {}),
        )

    def save_draft(self, assignment_id: str, fields: Iterable[tuple[str, str]]) -> None:
        if assignment_id not in self.holding:
            raise errors.NotFound("This task is not open.")
        kept: dict[str, tuple[str, ...]] = {}
        for name, value in fields:
            kept[name] = (*kept.get(name, ()), value)
        self.drafts[assignment_id] = kept

    def keep_refused(self, assignment_id: str, fields: Iterable[tuple[str, str]]) -> bool:
        self.save_draft(assignment_id, fields)
        return True

    def submit(self, assignment_id: str, fields: Iterable[tuple[str, str]]) -> Submission:
        if assignment_id == NOT_AVAILABLE:
            raise errors.InPreview("This is a preview. Accept the task first.")
        repeated = assignment_id in self.submitted
        if not repeated:
            held = self.holding.pop(assignment_id, None)
            if held is None:
                raise errors.NotFound("This task is not open.")
            self.submitted[assignment_id] = list(fields)
            self.records[assignment_id] = record(assignment_id, "Submitted")
        return Submission(assignment_id, "3HIT1", "3GROUP1", self.worker.worker_id, "Submitted", repeated)

    # -- what became of it
    def history(self, worker_id: str, **filters: Any) -> RecordPage:
        self.calls.append(("history", filters))
        return RecordPage(tuple(self.records.values()), None)

    def record(self, worker_id: str, assignment_id: str) -> Record:
        if assignment_id not in self.records:
            raise errors.NotFound("There is no such task in your history.")
        return self.records[assignment_id]

    def appeal(self, worker_id: str, assignment_id: str, text: str) -> Record:
        if not text.strip():
            raise errors.BadForm("Say why.")
        found = replace(self.record(worker_id, assignment_id), appeal=Appeal(text, NOW), can_appeal=False)
        self.records[assignment_id] = found
        return found

    def earnings(self, worker_id: str, *, days: int = 30) -> Earnings:
        day = DayEarnings("2026-11-22", 3, 2, Decimal("0.30"), Decimal("0.15"))
        money = (Decimal("0.30"), Decimal("0.10"), Decimal("0.15"))
        return Earnings(3, 2, 0, 1, 1, *money, 180, Decimal("8.00"), (day,))

    def messages(self, worker_id: str) -> tuple[Message, ...]:
        return self.inbox

    def mark_read(self, worker_id: str, message_id: str) -> None:
        self.inbox = tuple(replace(message, read=True) for message in self.inbox)

    # -- qualifications
    def qualifications(self, worker_id: str) -> tuple[QualificationEntry, ...]:
        return self.entries

    def qualification(self, worker_id: str, qualification_type_id: str) -> QualificationEntry:
        for entry in self.entries:
            if entry.qualification_type_id == qualification_type_id:
                return entry
        raise errors.NotFound("There is no such qualification.")

    def request_qualification(self, worker_id: str, qualification_type_id: str) -> QualificationEntry:
        self.calls.append(("request", qualification_type_id))
        return self.qualification(worker_id, qualification_type_id)

    def begin_test(self, worker_id: str, qualification_type_id: str) -> TestPaper:
        if self.paper is None:
            raise errors.BadForm("There is no test.")
        return self.paper

    def submit_test(self, worker_id: str, request_id: str, fields: Iterable[tuple[str, str]]) -> QualificationEntry:
        self.calls.append(("test", request_id, list(fields)))
        return self.entries[0]


def record(assignment_id: str, status: Any, **changes: Any) -> Record:
    """A past assignment."""
    values: dict[str, Any] = {
        "hit_id": "3HIT1",
        "group_id": "3GROUP1",
        "title": "Keep the good faces",
        "requester_name": "A studio",
        "reward": Decimal("0.15"),
        "bonus": Decimal("0"),
        "accepted_at": NOW,
        "submitted_at": NOW,
        "decided_at": None,
        "auto_approval_at": NOW + timedelta(days=3),
        "feedback": "",
        "appeal": None,
        "can_appeal": False,
    }
    return Record(assignment_id=assignment_id, status=status, **(values | changes))


class FakeDesk:
    """An operator desk with one row of everything."""

    def __init__(self) -> None:
        self.erased: list[str] = []

    def admits(self, token: str) -> bool:
        return token == "optok"

    def overview(self) -> Overview:
        return Overview(
            (RequesterRow("AREQ", "A studio", 1, 2, 3, Decimal("9")),),
            (WorkerRow("AWORKER1", "ann", NOW, 1, 2, 1, 1, True),),
            (HitRow("3HIT1", "Keep <i>", "A studio", "Assignable", 1, 1, 1, NOW),),
            (StuckRow("3ASSIGN1", "Keep", "AWORKER1", NOW, "held past its deadline"),),
            (FailureRow("e1", "HITExpired", "https://example.org/hook", 3, "timed out", None),),
            (AppealRow("3ASSIGN2", "Keep", "A studio", "AWORKER1", "Too fast", "I looked at all", NOW),),
        )

    def export_worker(self, worker_id: str) -> dict[str, Any]:
        if worker_id != "AWORKER1":
            raise errors.OperatorError(f"There is no worker {worker_id}.")
        return {"worker_id": worker_id, "joined": NOW}

    def erase_worker(self, worker_id: str) -> None:
        self.erased.append(worker_id)
