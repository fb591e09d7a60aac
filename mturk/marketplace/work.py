"""What a worker can do, as one class without a web framework. The worker site is built on this.

Every method is one transaction. Refusals are `WorkError`s of `mturk.marketplace.errors`, whose text is written for the
worker. A `worker_id` argument comes from `worker_of(session token)`, never from a form.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Literal, Protocol

from mturk.marketplace.desk.values import (
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

__all__ = ["Work"]

Sort = Literal["newest", "reward", "hourly", "time", "available"]
Fields = Iterable[tuple[str, str]]
"""A posted form: (name, value) in the order of the form; a name may occur more than once."""


class Work(Protocol):
    """The worker-side use cases of one marketplace."""

    # -- joining and signing in ---------------------------------------------------------------------------------
    def invite(self, *, note: str = "", uses: int = 1, valid: timedelta = timedelta(days=14)) -> Invite:
        """A new invite link for `uses` people."""
        ...

    def read_invite(self, token: str) -> Invite:
        """The invite behind a link. NotFound if it is unknown, used up or out of date."""
        ...

    def join(self, token: str, *, name: str, password: str, country: str = "", subdivision: str = "") -> Session:
        """Make an account and sign in. BadForm if the name is taken, or name, password or country are not usable."""
        ...

    def sign_in(self, name: str, password: str, *, address: str) -> Session:
        """Sign in. SignInRefused; SlowDown after ten failures in 15 minutes for the name or the address."""
        ...

    def worker_of(self, session_token: str) -> Worker | None:
        """The signed-in worker, or None if the session is unknown or over. Cheap: for every request."""
        ...

    def sign_out(self, session_token: str) -> None:
        """End the session; unknown ones are ignored."""
        ...

    def leave(self, worker_id: str, password: str) -> None:
        """Close the account: held work is returned, sessions end, name and drafts are erased; what was submitted
        stays with its requesters under the opaque worker id. SignInRefused on a wrong password."""
        ...

    # -- finding work -------------------------------------------------------------------------------------------
    def groups(
        self,
        worker_id: str,
        *,
        sort: Sort = "newest",
        query: str = "",
        qualified_only: bool = False,
        min_reward: Decimal | None = None,
        max_minutes: int | None = None,
        cursor: str | None = None,
        limit: int = 20,
    ) -> GroupPage:
        """Groups with work that this worker may discover. An unreadable cursor starts again at the first page."""
        ...

    def group(self, worker_id: str, group_id: str) -> Group:
        """One group by HITGroupId or HITTypeId."""
        ...

    def preview(self, worker_id: str, *, group_id: str = "", hit_id: str = "") -> Preview:
        """A HIT of the group (or exactly this one) to look at. NotEligible where preview is guarded."""
        ...

    # -- working ------------------------------------------------------------------------------------------------
    def accept(self, worker_id: str, *, group_id: str = "", hit_id: str = "") -> Held:
        """Accept exactly this HIT, or the next free one of the group. Accepting a HIT that the worker already holds
        returns what is held. NotFound, NotEligible, NothingAvailable, TooManyHeld."""
        ...

    def current(self, worker_id: str) -> tuple[Held, ...]:
        """What the worker holds now, the one that is due first first."""
        ...

    def held(self, worker_id: str, assignment_id: str) -> Held:
        """One held assignment. NotFound if it is not this worker's; TooLate if its time is over."""
        ...

    def return_(self, worker_id: str, assignment_id: str) -> None:
        """Give the assignment back; returning it twice is fine. NotFound if submitted or not this worker's."""
        ...

    # -- the frame origin; authorised by the unguessable id alone ------------------------------------------------
    def open_frame(self, token: str) -> FrameDocument:
        """The document behind `/frame/<token>`. NotFound if the link is broken, out of date or given back."""
        ...

    def save_draft(self, assignment_id: str, fields: Fields) -> None:
        """Keep a form for later. NotFound, TooLate; BadForm above 256 KB."""
        ...

    def submit(self, assignment_id: str, fields: Fields) -> Submission:
        """Store the answers, once: a repeated submit changes nothing and says `repeated`. The four reserved names are
        left out of the answer. InPreview, NotFound (also returned or abandoned long ago), TooLate, BadForm."""
        ...

    # -- what became of it --------------------------------------------------------------------------------------
    def history(self, worker_id: str, *, status: str = "", cursor: str | None = None, limit: int = 20) -> RecordPage:
        """Past assignments, newest first; `status` as in `Record.status`, "" for all."""
        ...

    def record(self, worker_id: str, assignment_id: str) -> Record:
        """One past assignment."""
        ...

    def appeal(self, worker_id: str, assignment_id: str, text: str) -> Record:
        """Object to a rejection: once, within 30 days of submission. The requester is told by message and sees it on
        the operator page. BadForm if there is nothing to appeal or the text is empty or above 2,000 characters."""
        ...

    def earnings(self, worker_id: str, *, days: int = 30) -> Earnings:
        """Sums over everything, and day by day for the last `days`."""
        ...

    def messages(self, worker_id: str) -> tuple[Message, ...]:
        """The inbox, newest first, at most 200."""
        ...

    def mark_read(self, worker_id: str, message_id: str) -> None:
        """Mark a message as read."""
        ...

    # -- qualifications -----------------------------------------------------------------------------------------
    def qualifications(self, worker_id: str) -> tuple[QualificationEntry, ...]:
        """What the worker holds, has asked for, or could ask for."""
        ...

    def qualification(self, worker_id: str, qualification_type_id: str) -> QualificationEntry:
        """One type as this worker sees it."""
        ...

    def request_qualification(self, worker_id: str, qualification_type_id: str) -> QualificationEntry:
        """Ask for a qualification without a test: granted at once or pending. BadForm if it cannot be asked for."""
        ...

    def begin_test(self, worker_id: str, qualification_type_id: str) -> TestPaper:
        """Begin (or go on with) a test. BadForm if there is none or it may not be taken again yet."""
        ...

    def submit_test(self, worker_id: str, request_id: str, fields: Fields) -> QualificationEntry:
        """Hand the test in: scored at once where there is an answer key, else pending. TooLate after the deadline."""
        ...
