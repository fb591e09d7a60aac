"""What every operation gets and uses: the call, ownership checks, idempotency tokens, pages."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from ..errors import Refused
from ..lifecycle import assignments, hits
from ..store import Tx, one, rows
from ..store.tables import request_token
from ..store.transactions import Row

__all__ = [
    "Call",
    "Operation",
    "duplicate_token",
    "hit_exists_already",
    "missing",
    "own_assignment",
    "own_hit",
    "page",
    "remember_token",
    "used_token",
    "wrong_value",
]

_HOUR_MS = 3_600_000
DEFAULT_PAGE = 10
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,200}")


@dataclass(frozen=True, slots=True)
class Call:
    """One request inside its transaction."""

    tx: Tx
    operation: str
    requester: Row
    request_id: str
    params: Mapping[str, Any]
    notes: list[str] = field(default_factory=list)
    """What is said beside the answer, in a header: doubts about what was taken."""

    @property
    def owner(self) -> str:
        """The calling requester's id."""
        return str(self.requester["id"])

    def get(self, name: str, default: Any = None) -> Any:
        """An optional parameter."""
        return self.params.get(name, default)

    def __getitem__(self, name: str) -> Any:
        return self.params[name]


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation's function and whether it writes, and that `together` with others (see `Store.together`). One that
    `sends` gives a notification instead of an answer; the answer is empty once that has arrived."""

    run: Callable[[Call], dict[str, Any]]
    writes: bool
    sends: bool = False
    together: bool = False


def missing(kind: str, name: str) -> Refused:
    """ "Hit 3… does not exist.": Mephisto, Dallinger and ParlAI match on the words."""
    code = {
        "Hit": "HITDoesNotExist",
        "HITType": "HITTypeDoesNotExist",
        "Assignment": "AssignmentDoesNotExist",
        "QualificationType": "QualificationTypeDoesNotExist",
        "Qualification": "QualificationDoesNotExist",
        "QualificationRequest": "QualificationRequestDoesNotExist",
        "HITLayout": "HITLayoutDoesNotExist",
        "Worker": "WorkerDoesNotExist",
    }[kind]
    return Refused(f"{kind} {name} does not exist.", f"AWS.MechanicalTurk.{code}")


def wrong_value(message: str) -> Refused:
    """A parameter that cannot be used."""
    return Refused(message, "AWS.MechanicalTurk.InvalidParameterValue")


def own_hit(call: Call, *, early: bool = False) -> Row:
    """The caller's HIT named by HITId; `early` also within the first moments of its life."""
    row = hits.get(call.tx, call["HITId"])
    unborn = row is not None and call.tx.now < row["created_at"] + 1000 * call.tx.config.visible_after_seconds
    if row is None or row["requester_id"] != call.owner or (unborn and not early):
        raise missing("Hit", call["HITId"])
    return row


def own_assignment(call: Call) -> Row:
    """The caller's assignment named by AssignmentId, in any state."""
    row = assignments.find(call.tx, call["AssignmentId"])
    if row is None or row["requester_id"] != call.owner:
        raise missing("Assignment", call["AssignmentId"])
    return row


def used_token(call: Call) -> Row | None:
    """What was made with this UniqueRequestToken before, or None."""
    token = call.get("UniqueRequestToken")
    if token is None:
        return None
    mine = sa.and_(
        request_token.c.requester_id == call.owner,
        request_token.c.operation == call.operation,
        request_token.c.token == token,
    )
    found = one(call.tx, sa.select(request_token).where(mine))
    hours = call.tx.config.token_hours
    if found is not None and hours is not None and call.tx.now >= found["created_at"] + hours * _HOUR_MS:
        call.tx.conn.execute(request_token.delete().where(mine))
        return None
    return found


def remember_token(call: Call, object_id: str) -> None:
    """Remember what this call's token made, in the same transaction."""
    if call.get("UniqueRequestToken") is not None:
        call.tx.conn.execute(
            request_token.insert().values(
                requester_id=call.owner,
                operation=call.operation,
                token=call["UniqueRequestToken"],
                object_id=object_id,
                request_id=call.request_id,
                created_at=call.tx.now,
            )
        )


def hit_exists_already(hit_id: str) -> Refused:
    """The refusal of a repeated CreateHIT: careful clients read the HITId out of it and adopt the HIT."""
    return Refused(f'The HIT with ID "{hit_id}" already exists.', "AWS.MechanicalTurk.HitAlreadyExists")


def duplicate_token(call: Call, used: Row) -> Refused:
    """The refusal of a repeated bonus or extension.

    The sentence is MTurk's own, as clients match it; it promised "an error with a message containing the request ID"
    besides, so that follows. This code is ours.
    """
    return Refused(
        f'The idempotency token "{call["UniqueRequestToken"]}" has already been processed. It was used with '
        f"{call.operation} by the request ID {used['request_id']}.",
        "AWS.MechanicalTurk.DuplicateRequest",
    )


def page(
    call: Call,
    statement: sa.Select[Any],
    keys: Sequence[sa.ColumnElement[Any]],
    *,
    newest_first: bool = False,
) -> tuple[list[Row], dict[str, Any]]:
    """One page of rows after the call's cursor, and the members NumResults and NextToken.

    As on Mechanical Turk every page that holds something has a NextToken, the last one too, and the empty page after
    it has none: loops written for the service (Mephisto, oTree) take the token of each non-empty page unasked.
    The cursor remembers the last row's keys, not an offset: pages neither skip nor repeat while workers submit. It is
    signed for its requester, operation and filters.
    """
    limit = call.get("MaxResults", DEFAULT_PAGE)
    after = _read_cursor(call, len(keys))
    if after is not None:
        place, mark = sa.tuple_(*keys), sa.tuple_(*(sa.literal(value, sa.BigInteger()) for value in after))
        statement = statement.where(place < mark if newest_first else place > mark)
    order = [key.desc() if newest_first else key.asc() for key in keys]
    marks = [key.label(f"page_key_{index}") for index, key in enumerate(keys)]
    found = rows(call.tx, statement.add_columns(*marks).order_by(*order).limit(limit))
    members: dict[str, Any] = {"NumResults": len(found)}
    if found:
        members["NextToken"] = _cursor(call, [found[-1][mark.name] for mark in marks])
    return found, members


def _filters(call: Call) -> str:
    return repr(sorted((name, value) for name, value in call.params.items() if name not in ("NextToken", "MaxResults")))


def _mac(call: Call, payload: bytes) -> bytes:
    text = f"{call.owner}\n{call.operation}\n{_filters(call)}\n".encode()
    return hmac.new(call.tx.key, text + payload, hashlib.sha256).digest()[:15]


def _cursor(call: Call, values: list[int]) -> str:
    payload = ",".join(str(value) for value in values).encode()
    return base64.urlsafe_b64encode(_mac(call, payload) + payload).decode().rstrip("=")


def _read_cursor(call: Call, count: int) -> list[int] | None:
    token = call.get("NextToken")
    if token is None:
        return None
    if _CURSOR.fullmatch(token) and len(token) % 4 != 1:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        mac, payload = raw[:15], raw[15:]
        if hmac.compare_digest(mac, _mac(call, payload)):
            values = [int(part) for part in payload.decode().split(",")]
            if len(values) == count:
                return values
    raise wrong_value("NextToken is not one that this operation returned for the same parameters.")
