"""People whom a panel sends: landing by a signed link, the next page, the end with its code, the panel's reports."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ...recruiting.signing import (
    FRESH_SECONDS,
    Arrival,
    LinkRefused,
    hook_is_genuine,
    landed_at,
    landing_stamp,
    read_arrival,
    study_secret,
)
from ...recruiting.values import Outcome, Study
from ...recruiting.wage import maximum_minutes
from ..errors import BadForm, NotEligible, NotFound, NothingAvailable
from ..lifecycle import assignments, hits, recruits, standing
from ..stamps import new_id
from ..store import Store, Tx, one
from ..store.recruit_tables import recruit_entry, recruit_event, recruit_study
from ..store.tables import assignment
from ..store.transactions import Row
from . import finding
from .accounts import close_account, open_session
from .values import Session, Way, Welcome
from .working import Working

__all__ = ["Recruits"]

_TAKEN = ("working", "pending", "approved", "paid")
_LEFT = ("RETURNED", "TIMED-OUT")
_STUDY_STATES = {"ACTIVE": "published", "PAUSED": "paused", "AWAITING REVIEW": "stopped", "COMPLETED": "stopped"}


class Recruits(Working):
    """Landing, working and finishing of people who came by a link."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)

    def welcome(self, key: str, given: Mapping[str, str]) -> Welcome:
        """What a genuine link shows before consent. Nothing is stored: whatever fetches links may fetch it.

        NotFound; NotEligible for a link that is not genuine, out of date or not filled in.
        """
        with self._store.read() as tx:
            study, arrival = _arrival(tx, key, given)
            entry = recruits.find_entry(tx, key, participant=arrival.participant)
            stamp = landing_stamp(study_secret(tx.key, key), arrival.session, tx.now)
            return Welcome(study, stamp, "" if entry is None else entry["state"])

    def enter(self, key: str, given: Mapping[str, str], *, stamp: str) -> Session:
        """The person agreed: a worker of the source, and a session. Twice is once; who comes again goes on, with the
        study whose link this is.

        NotFound, NotEligible, NothingAvailable where the study is not open or full.
        """
        with self._store.write() as tx:
            study, arrival = _arrival(tx, key, given)
            entry = recruits.find_entry(tx, key, participant=arrival.participant)
            if entry is None or entry["state"] == "declined" or not _has_place(tx, study, entry):
                _check_open(tx, study)
            elif entry["state"] == "returned" and entry["session"] == arrival.session and not entry["finished_at"]:
                raise NotEligible("You have left this study.")
            elif entry["session"] != arrival.session and entry["panel_state"] not in _LEFT:
                raise NotEligible("You have begun this study already, with another link. Go on with that one.")
            person = recruits.minted(tx, study, arrival.participant)
            landed = landed_at(study_secret(tx.key, key), arrival.session, stamp, tx.now)
            _keep_entry(tx, study, arrival, entry, worker_id=person["id"], landed_at=landed)
            return open_session(tx, person)

    def decline(self, key: str, given: Mapping[str, str]) -> str:
        """The person did not agree: nothing is kept but that. Where to go back to, "" for nowhere."""
        with self._store.write() as tx:
            study, arrival = _arrival(tx, key, given)
            entry = recruits.find_entry(tx, key, participant=arrival.participant)
            if entry is None:
                _insert(tx, key, arrival, state="declined", outcome="NO_CONSENT", worker_id="", landed_at=tx.now)
            return study.back("NO_CONSENT", "", arrival.participant, arrival.session)

    def way(self, worker_id: str) -> Way | None:
        """How far a recruited person is, in what was entered last; None where nothing was begun."""
        with self._store.read() as tx:
            row = _latest(tx, worker_id)
            return None if row is None else self._way(tx, row)

    def _way(self, tx: Tx, row: Row) -> Way:
        study = recruits.find_study(tx, row["study_key"])
        assert study is not None
        entry, held = recruits.entry_of(tx, row), recruits.held_by(tx, row["seq"])
        may = entry.state == "working" and entry.done + bool(held) < study.hits and _has_place(tx, study, row)
        more = may and bool(self._free(tx, study, row))
        outcome: Outcome = entry.outcome or "COMPLETED"
        back = study.back(outcome, entry.code, entry.participant, entry.session) if entry.finished_at else ""
        return Way(study, entry, held, more, back)

    def _free(self, tx: Tx, study: Study, row: Row) -> str:
        """The next HIT of the study for this person, "" for none: every group is looked through in its order."""
        who = finding.viewer(tx, row["worker_id"])
        for group in study.groups:
            if row["group_id"] not in ("", group.group_id):
                continue
            found = self._free_hit(tx, row["worker_id"], finding.find_type(tx, group.group_id)["id"])
            if found is None or found["requester_id"] in who.blockers:
                continue
            if not standing.unmet(standing.requirements_of(found["requirements"]), who.held):
                return str(found["id"])
        return ""

    def go_on(self, worker_id: str) -> str:
        """The assignment at hand, else the next one, accepted; "" where there is none to do any more."""
        with self._store.write() as tx:
            row = _latest(tx, worker_id)
            if row is None or row["state"] != "working":
                return ""
            way = self._way(tx, row)
            if way.held or not way.more:
                return way.held
            hit = hits.require(tx, self._free(tx, way.study, row))
            return str(assignments.accept(tx, worker_id, hit, new_id())["id"])

    def finish(self, worker_id: str) -> Way:
        """The end: pay is due from here on. Twice is once. BadForm while there is something left to do."""
        with self._store.write() as tx:
            row = _latest(tx, worker_id)
            if row is None:
                raise NotFound("You have begun nothing here.")
            way = self._way(tx, row)
            if row["state"] == "working":
                if not way.may_finish:
                    raise BadForm("There is something left to do. Do it first, or leave the study.")
                recruits.finish(tx, way.study, row, "COMPLETED" if way.entry.done else "NO_WORK")
            return self._way(tx, _latest(tx, worker_id) or row)

    def quit(self, worker_id: str, *, erase: bool = False) -> None:
        """Leave the study that was entered last: what is held for it goes back. With `erase` all studies are left, and
        everything about the person goes, too, but for what is still to be paid."""
        with self._store.write() as tx:
            latest = _latest(tx, worker_id)
            for row in recruits.working(tx, worker_id):
                if not erase and latest is not None and row["seq"] != latest["seq"]:
                    continue
                held = assignments.find(tx, recruits.held_by(tx, row["seq"]))
                if held is not None:
                    assignments.return_(tx, held)
                mine = recruit_entry.c.seq == row["seq"]
                tx.conn.execute(recruit_entry.update().where(mine).values(state="returned"))
            person = standing.find_worker(tx, worker_id)
            if erase and person is not None:
                close_account(tx, person)

    def hear(self, source: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Take a panel's report: False where it was heard before. What it says is kept in the order in which it was
        sent, not in which it came; it moves no money: paying asks the panel itself.

        NotFound where no secret is kept; NotEligible for a wrong signature or an old time; BadForm for what is none.
        """
        try:
            secret = recruits.hook_path(self._store.config.state_dir, source).read_bytes().strip()
        except OSError:
            raise NotFound("Nothing is listened to here.") from None
        headers = {name.lower(): value for name, value in headers.items()}
        sent = headers.get("x-prolific-request-timestamp", "")
        if not hook_is_genuine(secret, sent, body, headers.get("x-prolific-request-signature", "")):
            raise NotEligible("The signature is wrong.")
        event_id = headers.get("x-event-id", "")
        with self._store.write() as tx:
            if abs(_epoch_ms(sent) - tx.now) > 1000 * FRESH_SECONDS:
                raise NotEligible("The report is too old.")
            report = _report(body)
            if not 0 < len(event_id) <= 128:
                raise BadForm("The report has no X-Event-ID.")
            if one(tx, sa.select(recruit_event.c.kind).where(recruit_event.c.event_id == event_id)) is not None:
                return False
            at = _epoch_ms(headers.get("x-timestamp", "") or sent)
            values = {"event_id": event_id, "kind": report.get("event_type", "")[:64], "at": at, "received_at": tx.now}
            tx.conn.execute(recruit_event.insert().values(values))
            _note(tx, source, report, at)
            return True


def _arrival(tx: Tx, key: str, given: Mapping[str, str]) -> tuple[Study, Arrival]:
    study = recruits.find_study(tx, key)
    if study is None:
        raise NotFound("There is no such study here.")
    try:
        arrival = read_arrival(study, study_secret(tx.key, key), given, tx.now)
    except LinkRefused as error:
        raise NotEligible(str(error)) from None
    owner = recruits.find_entry(tx, key, session=arrival.session)
    if owner is not None and owner["participant"] != arrival.participant:
        raise NotEligible("This link was used by somebody else already.")
    return study, arrival


def _check_open(tx: Tx, study: Study) -> None:
    if study.status != "published":
        raise NothingAvailable(
            "This study is not open at the moment." if study.status != "stopped" else "This study is over."
        )
    if _full(tx, study):
        raise NothingAvailable("Everybody who was wanted has come already. Thank you.")


def _full(tx: Tx, study: Study) -> bool:
    """Whether every place is taken. A panel counts its places itself; with links of ours, who agreed and did nothing
    until the time was over has given the place back."""
    if study.profile != "link":
        return False
    taken = sa.and_(
        recruit_entry.c.study_key == study.key, recruit_entry.c.state.in_(_TAKEN), sa.not_(_idle(tx, study))
    )
    return (tx.conn.scalar(sa.select(sa.func.count()).select_from(recruit_entry).where(taken)) or 0) >= study.places


def _idle(tx: Tx, study: Study) -> sa.ColumnElement[bool]:
    over = recruit_entry.c.consented_at < tx.now - 60_000 * maximum_minutes(study.minutes)
    did = sa.exists().where(
        assignment.c.entry_seq == recruit_entry.c.seq, assignment.c.state.in_(("Accepted", *recruits.DONE))
    )
    return sa.and_(recruit_entry.c.state == "working", over, sa.not_(did))


def _has_place(tx: Tx, study: Study, row: Row) -> bool:
    """Whether a person who has begun may go on: not where the place went to somebody else meanwhile."""
    mine = recruit_entry.c.seq == row["seq"]
    gave_back = one(tx, sa.select(recruit_entry.c.seq).where(mine, _idle(tx, study))) is not None
    return not (gave_back and _full(tx, study))


def _keep_entry(tx: Tx, study: Study, arrival: Arrival, entry: Row | None, *, worker_id: str, landed_at: int) -> None:
    latest = _latest(tx, worker_id)
    # Whose link was followed last is what the pages show, also where two were followed in one millisecond.
    at = tx.now if latest is None else max(tx.now, latest["consented_at"] + 1)
    values = {"worker_id": worker_id, "landed_at": landed_at, "consented_at": at}
    if entry is None:
        _insert(tx, study.key, arrival, state="working", **values)
    elif entry["state"] == "declined" or entry["session"] != arrival.session:
        fresh = {
            "state": "working",
            "outcome": None,
            "panel_state": "",
            "group_id": arrival.group,
        }
        changed = {**fresh, "session": arrival.session, "finished_at": None, "code": "", **values}
        tx.conn.execute(recruit_entry.update().where(recruit_entry.c.seq == entry["seq"]).values(changed))
    else:
        tx.conn.execute(recruit_entry.update().where(recruit_entry.c.seq == entry["seq"]).values(consented_at=at))


def _insert(tx: Tx, key: str, arrival: Arrival, **values: Any) -> None:
    about = {
        "study_key": key,
        "participant": arrival.participant,
        "session": arrival.session,
        "group_id": arrival.group,
    }
    tx.conn.execute(recruit_entry.insert().values({**about, "consented_at": tx.now, **values}))


def _latest(tx: Tx, worker_id: str) -> Row | None:
    mine = recruit_entry.c.worker_id == worker_id
    return one(
        tx,
        sa.select(recruit_entry).where(mine).order_by(recruit_entry.c.consented_at.desc(), recruit_entry.c.seq.desc()),
    )


def _epoch_ms(text: str) -> int:
    """Milliseconds of a stamp in seconds or of an ISO time; 0 for what is neither."""
    try:
        if text.replace(".", "", 1).isdigit() and len(text) <= 20:
            return round(float(text) * 1000)
        moment = datetime.fromisoformat(text)
        return round((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0


def _report(body: bytes) -> dict[str, str]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise BadForm("The report is not a JSON object.")
    return {str(name): str(value) for name, value in found.items() if isinstance(value, str)}


def _note(tx: Tx, source: str, report: Mapping[str, str], at: int) -> None:
    """Keep the newest state of the submission or study that a report is about; an older one changes nothing."""
    about, status = report.get("resource_id", ""), report.get("status", "")
    kind = report.get("event_type", "")
    if not about or not status:
        return
    if kind == "submission.status.change":
        keys = sa.select(recruit_study.c.key).where(recruit_study.c.source == source)
        mine = sa.and_(recruit_entry.c.session == about, recruit_entry.c.study_key.in_(keys))
        newer = sa.or_(recruit_entry.c.panel_at.is_(None), recruit_entry.c.panel_at < at)
        values = {"panel_state": status[:32], "panel_at": at}
        tx.conn.execute(recruit_entry.update().where(mine, newer).values(values))
    elif kind == "study.status.change" and status in _STUDY_STATES:
        mine = sa.and_(recruit_study.c.panel_id == about, recruit_study.c.source == source)
        newer = sa.or_(recruit_study.c.panel_at.is_(None), recruit_study.c.panel_at < at)
        values = {"status": _STUDY_STATES[status], "panel_at": at}
        tx.conn.execute(recruit_study.update().where(mine, newer).values(values))
