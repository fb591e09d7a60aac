"""What the operator of a marketplace can see and do: the operator page and `galloway market` stand on it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ..desk.accounts import close_account
from ..errors import OperatorError
from ..lifecycle import assignments, funds, standing
from ..rules.lookalike import skeleton
from ..rules.money import format_cents, parse_amount, to_decimal
from ..rules.pages import check_page
from ..rules.questions import with_form
from ..stamps import from_ms, new_id, new_token
from ..store import Store, Tx, one, rows, servers
from ..store import tables as t
from ..store.home import write_once
from ..store.recruit_tables import recruit_entry
from ..store.sealed import seal, unseal
from ..store.transactions import Row
from .overview import (
    AppealRow,
    Overview,
    RequesterRow,
    WorkerRow,
    appeal_rows,
    read_overview,
    requester_rows,
    worker_rows,
)

__all__ = ["Operator"]


_SUBSTANCE = 100
"""An answer against a worker has at least so many characters."""


class Operator:
    """Sees everything, and decides about requesters and workers."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def token(self) -> str:
        """The secret of the operator link: made on first use, kept in the state folder and, sealed, in the database, so
        that every server of the marketplace has the same."""
        path = self._token_path
        return path.read_text() if path.exists() else self.share_token()

    @property
    def _token_path(self) -> Path:
        return self._store.config.state_dir / "operator.token"

    def share_token(self) -> str:
        """The same, once it is sure that the database has it for other servers."""
        path = self._token_path
        with self._store.write() as tx:
            noted = servers.read_note(tx, "operator")
            if noted is None:
                token = path.read_text() if path.exists() else new_token()
                servers.write_note(tx, "operator", seal(tx.key, "operator", token))
            else:
                token = unseal(tx.key, "operator", noted)
        return write_once(path, token.encode()).decode()

    def servers(self) -> tuple[servers.Server, ...]:
        """The servers that answer for this marketplace just now."""
        with self._store.read() as tx:
            return servers.alive(tx)

    def admits(self, token: str) -> bool:
        """True for the operator's token; compared in constant time."""
        return hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())

    # -- requesters ---------------------------------------------------------------------------------------------
    def requesters(self) -> tuple[RequesterRow, ...]:
        """Requesters who were not revoked."""
        with self._store.read() as tx:
            return requester_rows(tx)

    def _requester(self, tx: Tx, name: str) -> Row:
        row = one(tx, sa.select(t.requester).where(sa.or_(t.requester.c.name == name, t.requester.c.id == name)))
        if row is None:
            raise OperatorError(f"There is no requester {name!r}. See: galloway market requester list")
        return row

    def revoke_requester(self, name: str) -> None:
        """Close a requester's keys; their open HITs leave the worker site, submitted work stays."""
        with self._store.write() as tx:
            row = self._requester(tx, name)
            tx.conn.execute(t.requester.update().where(t.requester.c.id == row["id"]).values(revoked_at=tx.now))
            tx.conn.execute(
                t.access_key.update().where(t.access_key.c.requester_id == row["id"]).values(revoked_at=tx.now)
            )

    def fund(self, name: str, amount: str) -> Decimal:
        """Add money to a requester's account; returns the new balance. For marketplaces that keep a ledger."""
        try:
            cents = parse_amount(amount)
        except ValueError as error:
            raise OperatorError(str(error)) from error
        with self._store.write() as tx:
            row = self._requester(tx, name)
            funds.top_up(tx, row["id"], cents)
            return to_decimal(row["balance_cents"] + cents)

    def add_layout(self, name: str, title: str, html: str) -> str:
        """Store an HTML page with `${name}` parameters; returns its HITLayoutId. OperatorError where nobody could ever
        answer it."""
        if impossible := check_page(with_form(html), template=True).impossible:
            raise OperatorError("The layout cannot be answered. " + " ".join(impossible))
        with self._store.write() as tx:
            row = self._requester(tx, name)
            layout_id = new_id()
            tx.conn.execute(
                t.layout.insert().values(id=layout_id, requester_id=row["id"], name=title, html=html, created_at=tx.now)
            )
        return layout_id

    # -- workers ------------------------------------------------------------------------------------------------
    def workers(self) -> tuple[WorkerRow, ...]:
        """Worker accounts, newest first."""
        with self._store.read() as tx:
            return worker_rows(tx)

    def _worker(self, tx: Tx, worker_id: str) -> Row:
        row = standing.find_worker(tx, worker_id)
        if row is None:
            raise OperatorError(f"There is no worker {worker_id}. See: galloway market worker list")
        return row

    def mark_worker(self, worker_id: str, *, masters: bool | None = None, adult: bool | None = None) -> None:
        """Grant or take back what only the operator can: the Masters flag, consent to adult content."""
        values = {name: value for name, value in (("masters", masters), ("adult", adult)) if value is not None}
        with self._store.write() as tx:
            self._worker(tx, worker_id)
            if values:
                tx.conn.execute(t.worker.update().where(t.worker.c.id == worker_id).values(values))

    def export_worker(self, worker_id: str) -> Mapping[str, Any]:
        """Everything that is stored about a worker, as JSON values. OperatorError if unknown."""
        with self._store.read() as tx:
            person = self._worker(tx, worker_id)
            del person["password"], person["seq"]
            export: dict[str, Any] = {"worker": _readable(person)}
            for table in (
                t.assignment,
                t.late_submission,
                t.bonus,
                t.message,
                t.qualification,
                t.qualification_request,
            ):
                found = rows(tx, sa.select(table).where(table.c.worker_id == worker_id).order_by(table.c.seq))
                export[f"{table.name}s"] = [_readable(row) for row in found]
            studies = rows(tx, sa.select(recruit_entry).where(recruit_entry.c.worker_id == worker_id))
            export["studies"] = [_readable(row) for row in studies]
        return export

    def erase_worker(self, worker_id: str) -> str:
        """Erase name, password, country, sessions, drafts, messages and failed sign-ins, and overwrite what was
        deleted; submitted answers stay under the opaque id, because they belong to requesters. "" or, where the
        database's old pages could not be overwritten, why. OperatorError if unknown."""
        with self._store.write() as tx:
            close_account(tx, self._worker(tx, worker_id))
            tx.conn.execute(t.late_submission.delete().where(t.late_submission.c.worker_id == worker_id))
            tx.conn.execute(t.assignment.update().where(t.assignment.c.worker_id == worker_id).values(appeal=None))
        return self._store.overwrite_deleted()

    # -- appeals ------------------------------------------------------------------------------------------------
    def appeals(self) -> tuple[AppealRow, ...]:
        """Appeals that nobody has decided yet, the newest first."""
        with self._store.read() as tx:
            return appeal_rows(tx)

    def decide_appeal(self, assignment_id: str, *, pay: bool, answer: str, by: str) -> None:
        """Decide an appeal, once: `pay` approves the work after all. The worker reads the answer. OperatorError for one
        that is not open, for an answer without substance, and where who decides is who rejected."""
        answer, by = " ".join(answer.split()), " ".join(by.split())
        if not by or (not pay and len(answer) < _SUBSTANCE):
            raise OperatorError(
                f"A decision needs a name, and against the worker an answer of at least {_SUBSTANCE} characters: what "
                "was asked, what was handed in, and why that is not it."
            )
        with self._store.write() as tx:
            row = one(tx, sa.select(t.assignment).where(t.assignment.c.id == assignment_id))
            if (
                row is None
                or row["appeal"] is None
                or row["appeal_decided_at"] is not None
                or row["state"] != "Rejected"
            ):
                raise OperatorError(f"No appeal is open on {assignment_id}. See: galloway market worker appeals")
            owner = tx.conn.scalar(sa.select(t.requester.c.name).where(t.requester.c.id == row["requester_id"])) or ""
            if skeleton(by) == skeleton(owner):
                raise OperatorError(f"{owner} rejected this; an appeal is decided by somebody else.")
            if pay:
                assignments.approve(tx, row, answer or None, override=True)
            about = {"appeal_by": by[:128], "appeal_answer": answer, "appeal_decided_at": tx.now}
            tx.conn.execute(t.assignment.update().where(t.assignment.c.id == assignment_id).values(about))
            said = "You were right: the work is paid." if pay else "The rejection stands."
            message = {
                "worker_id": row["worker_id"],
                "sender": tx.config.name,
                "subject": "Your appeal",
                "sent_at": tx.now,
            }
            tx.conn.execute(t.message.insert().values({**message, "id": new_id(), "text": f"{said} {answer}".strip()}))

    # -- the page -----------------------------------------------------------------------------------------------
    def overview(self) -> Overview:
        """The state of the marketplace now."""
        with self._store.read() as tx:
            return read_overview(tx)


_TIMES = ("_at", "deadline")
_MONEY = "_cents"


def _readable(row: Row) -> Row:
    """Times as ISO text and money as amounts."""
    result: Row = {}
    for name, value in row.items():
        if value is not None and (name == "at" or name.endswith(_TIMES)):
            result[name] = from_ms(value).isoformat()
        elif name.endswith(_MONEY):
            result[name.removesuffix(_MONEY)] = format_cents(value)
        elif name != "seq":
            result[name] = value
    return result
