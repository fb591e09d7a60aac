"""What a worker can do, as one class without a web framework. The worker site is built on this.

Every method is one transaction. Refusals are `WorkError`s of `mturk.marketplace.errors`, whose text is written for the
worker. A `worker_id` argument comes from `worker_of(session token)`, never from a form.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from ..store import Store
from . import finding
from .accounts import Accounts
from .finding import Filters, Sort
from .learning import Learning
from .records import Records
from .values import (
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
from .working import Working

__all__ = ["Sort", "Work"]

Fields = Iterable[tuple[str, str]]
"""A posted form: (name, value) in the order of the form; a name may occur more than once."""


class Work:
    """The worker-side use cases of one marketplace."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._accounts = Accounts(store)
        self._working = Working(store)
        self._records = Records(store)
        self._learning = Learning(store)

    # -- joining and signing in ---------------------------------------------------------------------------------
    def invite(self, *, note: str = "", uses: int = 1, valid: timedelta = timedelta(days=14)) -> Invite:
        """A new invite link for `uses` people."""
        return self._accounts.invite(note=note, uses=uses, valid=valid)

    def read_invite(self, token: str) -> Invite:
        """The invite behind a link. NotFound if it is unknown, used up or out of date."""
        return self._accounts.read_invite(token)

    def join(self, token: str, *, name: str, password: str, country: str = "", subdivision: str = "") -> Session:
        """Make an account and sign in. BadForm if the name is taken, or name, password or country are not usable."""
        return self._accounts.join(token, name=name, password=password, country=country, subdivision=subdivision)

    def sign_in(self, name: str, password: str, *, address: str) -> Session:
        """Sign in. SignInRefused; SlowDown after ten failures in 15 minutes for the name or the address."""
        return self._accounts.sign_in(name, password, address=address)

    def worker_of(self, session_token: str) -> Worker | None:
        """The signed-in worker, or None if the session is unknown or over. Cheap: for every request."""
        return self._accounts.worker_of(session_token)

    def sign_out(self, session_token: str) -> None:
        """End the session; unknown ones are ignored."""
        self._accounts.sign_out(session_token)

    def leave(self, worker_id: str, password: str) -> None:
        """Close the account: held work is returned, sessions end, name and drafts are erased; what was submitted
        stays with its requesters under the opaque worker id. SignInRefused on a wrong password."""
        self._accounts.leave(worker_id, password)

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
        filters = Filters(sort, query, qualified_only, min_reward, max_minutes)
        with self._store.read() as tx:
            return finding.list_groups(tx, finding.viewer(tx, worker_id), filters, cursor, limit)

    def group(self, worker_id: str, group_id: str) -> Group:
        """One group by HITGroupId or HITTypeId."""
        with self._store.read() as tx:
            return finding.describe_group(tx, finding.viewer(tx, worker_id), finding.find_type(tx, group_id))

    def preview(self, worker_id: str, *, group_id: str = "", hit_id: str = "") -> Preview:
        """A HIT of the group (or exactly this one) to look at. NotEligible where preview is guarded."""
        return self._working.preview(worker_id, group_id=group_id, hit_id=hit_id)

    # -- working ------------------------------------------------------------------------------------------------
    def accept(self, worker_id: str, *, group_id: str = "", hit_id: str = "") -> Held:
        """Accept exactly this HIT, or the next free one of the group. Accepting a HIT that the worker already holds
        returns what is held. NotFound, NotEligible, NothingAvailable, TooManyHeld."""
        return self._working.accept(worker_id, group_id=group_id, hit_id=hit_id)

    def current(self, worker_id: str) -> tuple[Held, ...]:
        """What the worker holds now, the one that is due first first."""
        return self._working.current(worker_id)

    def held(self, worker_id: str, assignment_id: str) -> Held:
        """One held assignment. NotFound if it is not this worker's; TooLate if its time is over."""
        return self._working.held(worker_id, assignment_id)

    def return_(self, worker_id: str, assignment_id: str) -> None:
        """Give the assignment back; returning it twice is fine. NotFound if submitted or not this worker's."""
        self._working.return_(worker_id, assignment_id)

    # -- the frame origin; authorised by the unguessable id alone ------------------------------------------------
    def open_frame(self, token: str) -> FrameDocument:
        """The document behind `/frame/<token>`. NotFound if the link is broken, out of date or given back."""
        return self._working.open_frame(token)

    def save_draft(self, assignment_id: str, fields: Fields) -> None:
        """Keep a form for later. NotFound, TooLate; BadForm above 256 KB."""
        self._working.save_draft(assignment_id, fields)

    def submit(self, assignment_id: str, fields: Fields) -> Submission:
        """Store the answers, once: a repeated submit changes nothing and says `repeated`. The four reserved names are
        left out of the answer. InPreview, NotFound (also returned or abandoned long ago), TooLate, BadForm."""
        return self._working.submit(assignment_id, fields)

    # -- what became of it --------------------------------------------------------------------------------------
    def history(self, worker_id: str, *, status: str = "", cursor: str | None = None, limit: int = 20) -> RecordPage:
        """Past assignments, newest first; `status` as in `Record.status`, "" for all."""
        return self._records.history(worker_id, status=status, cursor=cursor, limit=limit)

    def record(self, worker_id: str, assignment_id: str) -> Record:
        """One past assignment."""
        return self._records.record(worker_id, assignment_id)

    def appeal(self, worker_id: str, assignment_id: str, text: str) -> Record:
        """Object to a rejection: once, within 30 days of submission. The operator sees it and tells the requester,
        whose API has no appeals. BadForm if there is nothing to appeal, or the text is empty or above 2,000
        characters."""
        return self._records.appeal(worker_id, assignment_id, text)

    def earnings(self, worker_id: str, *, days: int = 30) -> Earnings:
        """Sums over everything, and day by day for the last `days`."""
        return self._records.earnings(worker_id, days=days)

    def messages(self, worker_id: str) -> tuple[Message, ...]:
        """The inbox, newest first, at most 200."""
        return self._records.messages(worker_id)

    def mark_read(self, worker_id: str, message_id: str) -> None:
        """Mark a message as read."""
        self._records.mark_read(worker_id, message_id)

    # -- qualifications -----------------------------------------------------------------------------------------
    def qualifications(self, worker_id: str) -> tuple[QualificationEntry, ...]:
        """What the worker holds, has asked for, or could ask for."""
        return self._learning.list_all(worker_id)

    def qualification(self, worker_id: str, qualification_type_id: str) -> QualificationEntry:
        """One type as this worker sees it."""
        return self._learning.one(worker_id, qualification_type_id)

    def request_qualification(self, worker_id: str, qualification_type_id: str) -> QualificationEntry:
        """Ask for a qualification without a test: granted at once or pending. BadForm if it cannot be asked for."""
        return self._learning.request(worker_id, qualification_type_id)

    def begin_test(self, worker_id: str, qualification_type_id: str) -> TestPaper:
        """Begin (or go on with) a test. BadForm if there is none or it may not be taken again yet."""
        return self._learning.begin_test(worker_id, qualification_type_id)

    def submit_test(self, worker_id: str, request_id: str, fields: Fields) -> QualificationEntry:
        """Hand the test in: scored at once where there is an answer key, else pending. TooLate after the deadline."""
        return self._learning.submit_test(worker_id, request_id, fields)
