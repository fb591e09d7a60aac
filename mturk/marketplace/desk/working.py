"""Preview, accept, frames, drafts, submit, return."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from urllib.parse import urlencode

import sqlalchemy as sa

from ..errors import BadForm, NotEligible, NotFound, NothingAvailable, TooLate, WorkError
from ..lifecycle import assignments, hits, standing
from ..rules.answers import RESERVED
from ..rules.questions import PREVIEW_ID, external_url, parse_question
from ..rules.xml import clean
from ..stamps import from_ms, new_id
from ..store import Store, Tx, ask_one, one, rows
from ..store.tables import HOLDING, assignment, hit, hit_type
from ..store.transactions import Row
from . import finding
from .signing import id_of_form, open_link, sign_link
from .values import Fields, FrameDocument, Held, Preview, Submission, Taken

__all__ = ["Working"]

_LARGEST_DRAFT = 4 * assignments.LARGEST_FORM
"""Characters of names and values together, as they are counted when a form is sent, with room above that."""
_PREVIEW_MS = 12 * 3600 * 1000
_OPEN = (
    hits.WHOLE.where(
        hit.c.status == "Assignable",
        ~sa.exists(
            sa.select(assignment.c.seq).where(
                assignment.c.hit_id == hit.c.id,
                assignment.c.worker_id == sa.bindparam("worker"),
                assignment.c.state.in_(HOLDING),
            )
        ),
    )
    .order_by(hit.c.seq)
    .limit(1)
)
_TYPE = sa.select(hit_type.c.id).where(finding.named_type(sa.bindparam("type"))).limit(1).scalar_subquery()
_FREE = _OPEN.where(hit.c.type_id == _TYPE)
_FREE_NOW, _FREE_SOON = _FREE.with_for_update(of=hit, skip_locked=True), _FREE.with_for_update(of=hit)


class Working:
    """One worker, one HIT at a time (or a few)."""

    def __init__(self, store: Store) -> None:
        self._store = store

    # -- choosing -----------------------------------------------------------------------------------------------
    def _free_hit(self, tx: Tx, worker_id: str, group_id: str) -> Row | None:
        """The oldest HIT of the group that this worker may take: held, where the transaction writes beside others. One
        that somebody else is taking just now is passed over, and waited for only where there is no other."""
        wanted = {"type": group_id, "worker": worker_id}
        if tx.alone:
            return ask_one(tx, _FREE, wanted)
        return ask_one(tx, _FREE_NOW, wanted) or ask_one(tx, _FREE_SOON, wanted)

    def _free_alike(self, tx: Tx, worker_id: str, kind: Row) -> Row | None:
        """The oldest HIT that this worker may take among the other batches of the same kind of work."""
        alike = hit_type.c.work_kind == kind["work_kind"]
        others = _OPEN.where(alike, hit_type.c.id != kind["id"], hit_type.c.open_hits > 0)
        return one(tx, others if tx.alone else others.with_for_update(of=hit), {"worker": worker_id})

    def _choose(self, tx: Tx, worker_id: str, group_id: str, hit_id: str) -> Row:
        row = hits.get(tx, hit_id, hold=True) if hit_id else None
        if hit_id and (row is None or row["status"] == "Disposed"):
            raise NotFound("There is no such HIT.")
        if row is None:
            row = self._free_hit(tx, worker_id, group_id)
            row = row or self._free_alike(tx, worker_id, finding.find_type(tx, group_id))
        if row is None:
            raise NothingAvailable("There are no more HITs of this kind for you.")
        if row["ended_at"] is not None:
            raise NothingAvailable("This requester has stopped.")
        return row

    def preview(self, worker_id: str, *, group_id: str = "", hit_id: str = "") -> Preview:
        """A HIT of the group (or exactly this one) to look at. NotEligible where preview is guarded; whose answer to it
        was rejected may look at it all the same, to see what the reason is about."""
        with self._store.read() as tx:
            who = finding.viewer(tx, worker_id)
            row = self._choose(tx, worker_id, group_id, hit_id)
            requirements = standing.requirements_of(row["requirements"])
            missing = standing.unmet(requirements, who.held, "Preview")
            kept_out = missing or row["requester_id"] in who.blockers
            if kept_out and not _was_rejected(tx, worker_id, row["id"]):
                lacks = finding.unmet_of(tx, who, missing)
                raise NotEligible("This HIT can be previewed only by workers who meet its qualifications.", lacks)
            group = finding.describe_group(tx, who, finding.find_type(tx, row["type_id"]))
            token = sign_link(tx.key, "p", row["id"], worker_id, tx.now + _PREVIEW_MS)
            values = {"assignmentId": PREVIEW_ID, "hitId": row["id"]}
            return Preview(
                row["id"], group, _frame_url(tx, token, values), parse_question(row["question"]).frame_height
            )

    def accept(self, worker_id: str, *, group_id: str = "", hit_id: str = "", once: str = "") -> Taken:
        """Accept exactly this HIT, or the next free one of the group. Accepting a HIT that the worker already holds
        returns what is held, and so does the same form (its token is `once`) sent again. NotFound, NotEligible,
        NothingAvailable, TooManyHeld."""

        def work(tx: Tx) -> Taken:
            own_id, held = _by_form(tx, worker_id, once) if once else (new_id(), None)
            if held is not None:
                return Taken(held["id"], held["hit_id"])
            chosen = self._choose(tx, worker_id, group_id, hit_id)
            try:
                row = assignments.accept(tx, worker_id, chosen, own_id)
            except NotEligible as lacking:
                lacks = finding.unmet_of(tx, finding.viewer(tx, worker_id), lacking.unmet)
                raise NotEligible(str(lacking), lacks) from lacking
            return Taken(row["id"], row["hit_id"])

        return self._store.together(work)

    # -- holding ------------------------------------------------------------------------------------------------
    def _held(self, tx: Tx, who: finding.Viewer, row: Row) -> Held:
        question = tx.conn.scalar(sa.select(hit.c.question).where(hit.c.id == row["hit_id"]))
        token = sign_link(tx.key, "a", row["id"], who.person["id"], row["deadline"])
        values = _contract(tx, row)
        return Held(
            row["id"],
            row["hit_id"],
            finding.describe_group(tx, who, finding.find_type(tx, row["type_id"]), count=False),
            from_ms(row["accepted_at"]),
            from_ms(row["deadline"]),
            _frame_url(tx, token, values),
            parse_question(question or "").frame_height,
            None if row["draft_at"] is None else from_ms(row["draft_at"]),
        )

    def current(self, worker_id: str) -> tuple[Held, ...]:
        """What the worker holds now, the one that is due first first."""
        with self._store.read() as tx:
            who = finding.viewer(tx, worker_id)
            held = rows(
                tx,
                sa.select(assignment)
                .where(assignment.c.worker_id == worker_id, assignment.c.state == "Accepted")
                .order_by(assignment.c.deadline, assignment.c.seq),
            )
            return tuple(self._held(tx, who, row) for row in held)

    def held(self, worker_id: str, assignment_id: str) -> Held:
        """One held assignment. NotFound if it is not this worker's; TooLate if its time is over."""
        with self._store.read() as tx:
            row = assignments.find(tx, assignment_id)
            if row is None or row["worker_id"] != worker_id:
                raise NotFound("You hold no such HIT.")
            if row["state"] == "Abandoned":
                raise TooLate("The time for this HIT is over; it went back to the others.")
            if row["state"] != "Accepted":
                raise NotFound(f"You hold this HIT no more: it is {row['state'].lower()}.")
            return self._held(tx, finding.viewer(tx, worker_id), row)

    def return_(self, worker_id: str, assignment_id: str) -> None:
        """Give the assignment back; returning it twice is fine. NotFound if submitted or not this worker's."""

        def work(tx: Tx) -> None:
            row = assignments.find(tx, assignment_id)
            if (
                row is None
                or row["worker_id"] != worker_id
                or row["state"]
                not in (
                    "Accepted",
                    "Returned",
                    "Abandoned",
                )
            ):
                raise NotFound("You hold no such HIT.")
            if row["state"] == "Accepted":
                assignments.return_(tx, row)

        self._store.together(work)

    # -- the frame origin ---------------------------------------------------------------------------------------
    def open_frame(self, token: str) -> FrameDocument:
        """The document behind `/frame/<token>`. NotFound if the link is broken, out of date or given back."""
        with self._store.read() as tx:
            link = open_link(tx.key, token, tx.now)
            if link is None:
                raise NotFound("This link is broken or out of date. Open the HIT again from your list.")
            kind, target, worker_id = link
            draft: Mapping[str, tuple[str, ...]] = {}
            if kind == "a":
                row = assignments.find(tx, target)
                if row is None or row["state"] != "Accepted" or row["worker_id"] != worker_id:
                    raise NotFound("You hold this HIT no more.")
                values, hit_id, draft = _contract(tx, row), row["hit_id"], _read_draft(row)
            else:
                values, hit_id = {"assignmentId": PREVIEW_ID, "hitId": target}, target
            parent = hits.require(tx, hit_id)
            question = parse_question(parent["question"])
            frames = tx.config.addresses.frames
            return FrameDocument(
                question=question,
                hit_id=hit_id,
                assignment_id=values["assignmentId"],
                worker_id=values.get("workerId", ""),
                turk_submit_to=frames,
                submit_url=f"{frames}/mturk/externalSubmit",
                external_url=external_url(question.external_url, values) if question.external_url else "",
                preview=kind != "a",
                draft=draft,
                seen=_has_done(tx, worker_id, finding.find_type(tx, parent["type_id"])),
            )

    def save_draft(self, assignment_id: str, fields: Fields) -> None:
        """Keep a form for later. NotFound, TooLate; BadForm above 1 MB: what is too long to be sent is kept still."""
        pairs = [[clean(name), clean(value)] for name, value in fields]
        if sum(len(name) + len(value) for name, value in pairs) > _LARGEST_DRAFT:
            raise BadForm(f"A draft may be at most {_LARGEST_DRAFT // 1024} KB long.")
        text = json.dumps(pairs, ensure_ascii=False)

        def work(tx: Tx) -> None:
            # One statement, so that nothing comes between looking and writing.
            mine = sa.and_(assignment.c.id == assignment_id, assignment.c.state == "Accepted")
            if tx.conn.execute(assignment.update().where(mine).values(draft=text, draft_at=tx.now)).rowcount:
                return
            row = assignments.find(tx, assignment_id)
            if row is not None and row["state"] == "Abandoned":
                raise TooLate("The time for this HIT is over.")
            raise NotFound("You hold no such HIT.")

        self._store.together(work)

    def keep_refused(self, assignment_id: str, fields: Fields) -> bool:
        """Keep a form that `submit` refused; whether its page will show it again. A page of another server knows no
        drafts, and nothing takes no draft's place."""
        pairs = list(fields)
        if all(name in RESERVED for name, _ in pairs):
            return False
        named = sa.select(hit.c.question).join(assignment, assignment.c.hit_id == hit.c.id)
        with self._store.read() as tx:
            question = tx.conn.scalar(named.where(assignment.c.id == assignment_id))
        if question is None or parse_question(question).kind == "external":
            return False
        try:
            self.save_draft(assignment_id, pairs)
        except WorkError:
            return False
        return True

    def submit(self, assignment_id: str, fields: Fields) -> Submission:
        """Store the answers, once: a repeated submit changes nothing and says `repeated`. The four reserved names are
        left out of the answer. InPreview, NotFound (also returned or abandoned long ago), TooLate, BadForm."""
        pairs = [(clean(name), clean(value)) for name, value in fields]
        sent = self._store.together(lambda tx: assignments.submit(tx, clean(assignment_id), pairs))
        row, parent, repeated, refusal = sent
        if refusal is not None:
            raise refusal
        return Submission(row["id"], row["hit_id"], parent["group_id"], row["worker_id"], row["state"], repeated)


def _by_form(tx: Tx, worker_id: str, once: str) -> tuple[str, Row | None]:
    """The id for what a form takes now, and None; or the assignment that it took before, while the worker holds it."""
    for turn in count():
        own_id = id_of_form(tx.key, worker_id, once, turn)
        row = assignments.find(tx, own_id)
        if row is None or row["state"] == "Accepted":
            return own_id, row
    raise AssertionError("there is always another turn")


def _was_rejected(tx: Tx, worker_id: str, hit_id: str) -> bool:
    """Whether an answer of this worker to the HIT was rejected."""
    mine = (assignment.c.worker_id == worker_id, assignment.c.hit_id == hit_id, assignment.c.state == "Rejected")
    return one(tx, sa.select(assignment.c.id).where(*mine)) is not None


def _has_done(tx: Tx, worker_id: str, kind: Row) -> bool:
    """Whether this worker has handed in a page that asks the same: its instructions were read."""
    same = (hit_type.c.requester_id, hit_type.c.title, hit_type.c.description)
    mine = sa.select(assignment.c.seq).join(hit_type, hit_type.c.id == assignment.c.type_id)
    asked = mine.where(
        assignment.c.worker_id == worker_id,
        assignment.c.submitted_at.is_not(None),
        *(column == kind[column.name] for column in same),
    )
    return one(tx, asked.limit(1)) is not None


def _contract(tx: Tx, row: Row) -> dict[str, str]:
    """The four values of the frame contract."""
    return {
        "assignmentId": row["id"],
        "hitId": row["hit_id"],
        "workerId": row["worker_id"],
        "turkSubmitTo": tx.config.addresses.frames,
    }


def _frame_url(tx: Tx, token: str, values: Mapping[str, str]) -> str:
    return f"{tx.config.addresses.frames}/frame/{token}?{urlencode(values)}"


def _read_draft(row: Row) -> dict[str, tuple[str, ...]]:
    draft: dict[str, tuple[str, ...]] = {}
    for name, value in json.loads(row["draft"] or "[]"):
        draft[name] = (*draft.get(name, ()), value)
    return draft
