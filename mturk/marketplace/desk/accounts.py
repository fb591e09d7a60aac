"""Invites, accounts and sessions."""

from __future__ import annotations

import re
from datetime import timedelta

import sqlalchemy as sa

from ..errors import BadForm, NotFound, SignInRefused, SlowDown
from ..lifecycle import assignments, recruits, standing
from ..rules.lookalike import skeleton
from ..rules.places import country_refusal
from ..stamps import from_ms, new_customer_id, new_token
from ..store import Store, Tx, one, rows
from ..store.tables import assignment, invite, message, session, sign_in_failure, worker
from ..store.transactions import Row
from .finding import present
from .signing import check_password, digest, hash_password
from .values import Invite, Session, Worker

__all__ = ["Accounts", "close_account", "open_session"]

_NAME = re.compile(r"[\w.@+-][\w .@+-]{0,62}[\w.@+-]|[\w.@+-]")
_TRIES = 10
_WINDOW_MS = 15 * 60 * 1000
_SHORTEST, _LONGEST = 8, 200


_SIGNED_IN = (
    sa.select(worker)
    .join(session, session.c.worker_id == worker.c.id)
    .where(session.c.token_hash == sa.bindparam("token"), session.c.expires_at > sa.bindparam("now"))
)


def _worker(row: Row) -> Worker:
    about = (row.get("country", ""), row.get("subdivision", ""), from_ms(row["joined_at"]), row.get("source", ""))
    return Worker(row["id"], row["name"] or "", *about)


def _key(name: str) -> str:
    return " ".join(name.split()).casefold()[:64]


def _check_length(password: str) -> None:
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise BadForm(f"Choose a password of {_SHORTEST} to {_LONGEST} characters.")


def close_account(tx: Tx, person: Row) -> None:
    """Return what is held, end sessions, erase name, password, place, messages and drafts. The id stays, because
    submitted work belongs to requesters, and cannot be signed in with again."""
    held = sa.select(assignment).where(assignment.c.worker_id == person["id"], assignment.c.state == "Accepted")
    for row in rows(tx, held):
        assignments.return_(tx, row)
    tx.conn.execute(session.delete().where(session.c.worker_id == person["id"]))
    tx.conn.execute(message.delete().where(message.c.worker_id == person["id"]))
    recruits.forget(tx, person["id"])
    # Wrong passwords were noted with the name that was typed.
    tx.conn.execute(sign_in_failure.delete().where(sign_in_failure.c.subject == f"name {person['name_key']}"))
    tx.conn.execute(
        worker.update()
        .where(worker.c.id == person["id"])
        .values(name=None, name_key=None, password="", country="", subdivision="", adult=False, left_at=tx.now)
    )


def _note_failure(tx: Tx, subjects: tuple[str, ...]) -> None:
    tx.conn.execute(sign_in_failure.delete().where(sign_in_failure.c.at <= tx.now - _WINDOW_MS))
    for subject in subjects:
        tx.conn.execute(sign_in_failure.insert().values(subject=subject, at=tx.now))


def open_session(tx: Tx, person: Row) -> Session:
    """A new session of a worker's row."""
    token = new_token()
    expires = tx.now + tx.config.session_days * 24 * 3600 * 1000
    tx.conn.execute(
        session.insert().values(token_hash=digest(token), worker_id=person["id"], created_at=tx.now, expires_at=expires)
    )
    return Session(token, _worker(person), from_ms(expires))


class Accounts:
    """Who works here."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def invite(self, *, note: str = "", uses: int = 1, valid: timedelta = timedelta(days=14)) -> Invite:
        """A new invite link for `uses` people."""
        token = new_token()
        with self._store.write() as tx:
            expires = tx.now + round(valid.total_seconds() * 1000)
            tx.conn.execute(
                invite.insert().values(
                    token_hash=digest(token),
                    note=note,
                    created_at=tx.now,
                    expires_at=expires,
                    uses_left=max(1, uses),
                )
            )
        return Invite(token, note, from_ms(expires), max(1, uses))

    def _open_invite(self, tx: Tx, token: str) -> Row:
        row = one(tx, sa.select(invite).where(invite.c.token_hash == digest(token)))
        if row is None or row["uses_left"] < 1 or row["expires_at"] <= tx.now:
            raise NotFound("This invite link is not valid any more. Ask for a new one.")
        return row

    def read_invite(self, token: str) -> Invite:
        """The invite behind a link. NotFound if it is unknown, used up or out of date."""
        with self._store.read() as tx:
            row = self._open_invite(tx, token)
            return Invite(token, row["note"], from_ms(row["expires_at"]), row["uses_left"])

    def join(self, token: str, *, name: str, password: str, country: str = "", subdivision: str = "") -> Session:
        """Make an account and sign in. BadForm if the name is taken, or name, password or country are not usable."""
        name, country, subdivision = " ".join(name.split()), country.strip().upper(), subdivision.strip().upper()
        if not _NAME.fullmatch(name):
            raise BadForm("Choose a name of 1 to 64 letters, digits, spaces or . _ @ + -.")
        _check_length(password)
        if not re.fullmatch(r"([A-Z]{2})?", country) or not re.fullmatch(r"([A-Z0-9]{2})?", subdivision):
            raise BadForm("Country and subdivision are two letters each, like US and CA, or empty.")
        if country and (refusal := country_refusal(country)):
            raise BadForm(refusal)
        hashed = hash_password(password)
        with self._store.write() as tx:
            row = self._open_invite(tx, token)
            if one(tx, sa.select(worker.c.seq).where(worker.c.name_key == _key(name))) is not None:
                raise BadForm("This name is taken; choose another.")
            others = tx.conn.scalars(sa.select(worker.c.name).where(worker.c.name.is_not(None)))
            if skeleton(name) in map(skeleton, others):
                raise BadForm("This name looks like somebody else's; choose one that cannot be mistaken.")
            person: Row = {
                "id": new_customer_id(),
                "name": name,
                "name_key": _key(name),
                "password": hashed,
                "country": country,
                "subdivision": subdivision if country else "",
                "joined_at": tx.now,
            }
            tx.conn.execute(worker.insert().values(person))
            tx.conn.execute(invite.update().where(invite.c.seq == row["seq"]).values(uses_left=invite.c.uses_left - 1))
            return open_session(tx, person)

    def sign_in(self, name: str, password: str, *, address: str) -> Session:
        """Sign in. SignInRefused; SlowDown after ten failures in 15 minutes for the name or the address."""
        subjects = (f"name {_key(name)}", f"from {address[:100]}")
        with self._store.read() as tx:
            self._check_tries(tx, subjects)
            person = one(tx, sa.select(worker).where(worker.c.name_key == _key(name)))
        # Hashing takes its time; no transaction waits for it.
        right = check_password(password[: _LONGEST + 1], person["password"] if person else "")
        with self._store.write() as tx:
            if person is not None and right:
                tx.conn.execute(sign_in_failure.delete().where(sign_in_failure.c.subject == subjects[0]))
                tx.conn.execute(session.delete().where(session.c.expires_at <= tx.now))
                return open_session(tx, person)
            self._check_tries(tx, subjects)
            _note_failure(tx, subjects)
        raise SignInRefused("Name or password is wrong.")

    def _check_tries(self, tx: Tx, subjects: tuple[str, ...]) -> None:
        for subject in subjects:
            tries = tx.conn.scalars(
                sa.select(sign_in_failure.c.at)
                .where(sign_in_failure.c.subject == subject, sign_in_failure.c.at > tx.now - _WINDOW_MS)
                .order_by(sign_in_failure.c.at.desc())
                .limit(_TRIES)
            ).all()
            if len(tries) >= _TRIES:
                seconds = -(-(tries[-1] + _WINDOW_MS - tx.now) // 1000)
                raise SlowDown(f"Too many wrong passwords. Try again in {-(-seconds // 60)} minutes.", seconds)

    def worker_of(self, session_token: str) -> Worker | None:
        """The signed-in worker, or None if the session is unknown or over. Cheap: for every request."""
        row = self._store.look(_SIGNED_IN, {"token": digest(session_token), "now": self._store.now()})
        return None if row is None else _worker(row)

    def sign_out(self, session_token: str) -> None:
        """End the session; unknown ones are ignored."""
        with self._store.write() as tx:
            tx.conn.execute(session.delete().where(session.c.token_hash == digest(session_token)))

    def change_password(self, worker_id: str, old: str, new: str, *, keep: str) -> None:
        """Set another password; every session but the one of the token `keep` ends. SignInRefused where `old` is wrong,
        SlowDown after ten such tries, BadForm where `new` is too short or too long."""
        _check_length(new)
        with self._store.read() as tx:
            person = present(tx, worker_id)
            subject = (f"name {person['name_key']}",)
            self._check_tries(tx, subject)
        right = check_password(old[: _LONGEST + 1], person["password"])
        hashed = hash_password(new) if right else ""
        with self._store.write() as tx:
            if right:
                mine = worker.c.id == worker_id
                tx.conn.execute(worker.update().where(mine, worker.c.left_at.is_(None)).values(password=hashed))
                others = (session.c.worker_id == worker_id, session.c.token_hash != digest(keep))
                tx.conn.execute(session.delete().where(*others))
                return
            _note_failure(tx, subject)
        raise SignInRefused("The password that you have now is wrong; nothing was changed.")

    def leave(self, worker_id: str, password: str) -> None:
        """Close the account: held work is returned, sessions end, name and drafts are erased; what was submitted
        stays with its requesters under the opaque worker id. SignInRefused on a wrong password."""
        with self._store.read() as tx:
            person = standing.find_worker(tx, worker_id)
        if person is None or not check_password(password, person["password"]):
            raise SignInRefused("The password is wrong; the account stays open.")
        with self._store.write() as tx:
            close_account(tx, person)
