"""Finding work: groups as one worker sees them, and previews."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from statistics import median
from typing import Any, Literal

import sqlalchemy as sa

from ..errors import NotFound
from ..lifecycle import grants, standing
from ..rules import qualifications as rules
from ..rules.money import to_decimal
from ..rules.qualifications import SYSTEM_TYPES, Held, Requirement
from ..stamps import from_ms
from ..store import Store, Tx, one, rows
from ..store.tables import HOLDING, assignment, hit, hit_type, qualification_type, requester
from ..store.transactions import Row
from .values import Group, GroupPage, Unmet

__all__ = ["Filters", "Finding", "Sort", "Viewer", "describe_group", "find_type", "list_groups", "viewer"]

Sort = Literal["newest", "reward", "hourly", "time", "available"]
_SAMPLE = 51


@dataclass(frozen=True, slots=True)
class Viewer:
    """The worker who looks, with everything that decides what is shown."""

    person: Row
    held: Mapping[str, Held]
    blockers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Filters:
    """What the worker asks for."""

    sort: Sort = "newest"
    query: str = ""
    qualified_only: bool = False
    min_reward: Decimal | None = None
    max_minutes: int | None = None


def viewer(tx: Tx, worker_id: str) -> Viewer:
    """The worker as a viewer. NotFound for one who has left."""
    person = standing.find_worker(tx, worker_id)
    if person is None or person["left_at"] is not None:
        raise NotFound("This account is closed.")
    blockers = frozenset(standing.blocked_by(tx, worker_id))
    return Viewer(person, standing.held_qualifications(tx, person), blockers)


def _mine(who: Viewer) -> sa.ColumnElement[bool]:
    """HITs of which the worker has had an assignment."""
    return sa.exists(
        sa.select(assignment.c.seq).where(
            assignment.c.hit_id == hit.c.id,
            assignment.c.worker_id == who.person["id"],
            assignment.c.state.in_(HOLDING),
        )
    )


def _open_types(tx: Tx, who: Viewer, type_id: str = "") -> list[Row]:
    """HIT types with HITs that are open to this worker, and how many."""
    counts = (
        sa.select(
            hit.c.type_id,
            sa.func.count().label("available"),
            sa.func.max(hit.c.created_at).label("newest_at"),
            sa.func.max(hit.c.expires_at).label("last_at"),
        )
        .where(hit.c.status == "Assignable", ~_mine(who))
        .group_by(hit.c.type_id)
    )
    if type_id:
        counts = counts.where(hit.c.type_id == type_id)
    found = counts.subquery()
    statement = (
        sa.select(
            hit_type,
            found.c.available,
            found.c.newest_at,
            found.c.last_at,
            requester.c.name.label("requester_name"),
            requester.c.approved,
            requester.c.rejected,
        )
        .join(found, found.c.type_id == hit_type.c.id)
        .join(requester, requester.c.id == hit_type.c.requester_id)
        .where(requester.c.revoked_at.is_(None))
    )
    return [row for row in rows(tx, statement) if row["requester_id"] not in who.blockers]


_TYPE = (
    sa.select(hit_type, requester.c.name.label("requester_name"), requester.c.approved, requester.c.rejected)
    .join(requester, requester.c.id == hit_type.c.requester_id)
    .where(sa.or_(hit_type.c.group_id == sa.bindparam("wanted"), hit_type.c.id == sa.bindparam("wanted")))
)


def find_type(tx: Tx, group_id: str) -> Row:
    """The HIT type behind a HITGroupId or HITTypeId, with its requester. NotFound."""
    row = one(tx, _TYPE, {"wanted": group_id})
    if row is None:
        raise NotFound("There is no such group of HITs.")
    return row


def describe_group(tx: Tx, who: Viewer, kind: Row, *, count: bool = True) -> Group:
    """A group by its type row (from `find_type` or `_open_types`). Without `count`, `available` is 0: counting reads
    every open HIT of the group, which nobody needs who holds one."""
    if "available" not in kind:
        counted = _open_types(tx, who, kind["id"]) if count else []
        extra = {"available": 0, "newest_at": kind["created_at"], "last_at": kind["created_at"]}
        kind = counted[0] if counted else {**kind, **extra}
    requirements = standing.requirements_of(kind["requirements"])
    seconds = _median_seconds(tx, kind["id"])
    decided = kind["approved"] + kind["rejected"]
    return Group(
        group_id=kind["group_id"],
        hit_type_id=kind["id"],
        title=kind["title"],
        description=kind["description"],
        keywords=tuple(word.strip() for word in kind["keywords"].split(",") if word.strip()),
        requester_id=kind["requester_id"],
        requester_name=kind["requester_name"],
        reward=to_decimal(kind["reward_cents"]),
        available=kind["available"],
        duration=timedelta(seconds=kind["duration_s"]),
        created_at=from_ms(kind["newest_at"]),
        expires_at=from_ms(kind["last_at"]),
        unmet=tuple(_unmet(tx, who, item) for item in standing.unmet(requirements, who.held)),
        can_preview=not standing.unmet(requirements, who.held, "Preview"),
        median_seconds=seconds,
        hourly=_hourly(kind["reward_cents"], seconds),
        approval_rate=kind["approved"] / decided if decided else None,
    )


def _median_seconds(tx: Tx, type_id: str) -> float | None:
    times = tx.conn.scalars(
        sa.select(assignment.c.submitted_at - assignment.c.accepted_at)
        .where(assignment.c.type_id == type_id, assignment.c.submitted_at.is_not(None))
        .order_by(assignment.c.submitted_at.desc())
        .limit(_SAMPLE)
    ).all()
    return median(times) / 1000 if times else None


def _hourly(reward_cents: int, seconds: float | None) -> Decimal | None:
    if not seconds:
        return None
    hourly = to_decimal(reward_cents) * 3600 / Decimal(round(seconds * 1000)) * 1000
    return hourly.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _unmet(tx: Tx, who: Viewer, requirement: Requirement) -> Unmet:
    have = who.held.get(requirement.type_id)
    place = "-".join(part for part in (have.country, have.subdivision) if part) if have else ""
    value = "" if have is None else place or str(have.value)
    if requirement.type_id in SYSTEM_TYPES:
        name = SYSTEM_TYPES[requirement.type_id][0]
        return Unmet(requirement.type_id, name, rules.describe(requirement), value, False, False)
    kind = one(tx, sa.select(qualification_type).where(qualification_type.c.id == requirement.type_id))
    usable = kind is not None and kind["deleted_at"] is None and kind["status"] == "Active"
    can_request = usable and kind is not None and not grants.refusal_to_ask(tx, kind, who.person["id"])
    name = kind["name"] if kind is not None else requirement.type_id
    has_test = kind is not None and kind["test"] is not None
    return Unmet(requirement.type_id, name, rules.describe(requirement), value, can_request, has_test)


def list_groups(tx: Tx, who: Viewer, filters: Filters, cursor: str | None, limit: int) -> GroupPage:
    """The groups that this worker may discover, sorted; the cursor is the number of groups seen so far."""
    kinds = [kind for kind in _open_types(tx, who) if _discoverable(who, kind) and _asked_for(kind, filters)]
    if filters.sort in ("hourly", "time") or filters.qualified_only:
        groups = [describe_group(tx, who, kind) for kind in kinds]
        if filters.qualified_only:
            groups = [group for group in groups if group.qualified]
        ordered: Sequence[Any] = sorted(groups, key=_group_order(filters.sort))
    else:
        ordered = sorted(kinds, key=_kind_order(filters.sort))
    start = int(cursor) if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 9 else 0
    shown = ordered[start : start + limit]
    page = tuple(item if isinstance(item, Group) else describe_group(tx, who, item) for item in shown)
    more = start + limit < len(ordered)
    return GroupPage(page, str(start + limit) if more else None, len(ordered))


def _discoverable(who: Viewer, kind: Row) -> bool:
    return not standing.unmet(standing.requirements_of(kind["requirements"]), who.held, "Discover")


def _asked_for(kind: Row, filters: Filters) -> bool:
    text = f"{kind['title']} {kind['description']} {kind['keywords']} {kind['requester_name']}".lower()
    if not all(word in text for word in filters.query.lower().split()):
        return False
    if filters.min_reward is not None and to_decimal(kind["reward_cents"]) < filters.min_reward:
        return False
    return filters.max_minutes is None or kind["duration_s"] <= 60 * filters.max_minutes


def _kind_order(sort: Sort) -> Callable[[Row], Any]:
    if sort == "reward":
        return lambda kind: (-kind["reward_cents"], -kind["seq"])
    if sort == "available":
        return lambda kind: (-kind["available"], -kind["seq"])
    return lambda kind: (-kind["newest_at"], -kind["seq"])


def _group_order(sort: Sort) -> Callable[[Group], Any]:
    if sort == "hourly":
        return lambda group: (group.hourly is None, -(group.hourly or 0))
    if sort == "time":
        return lambda group: group.median_seconds or group.duration.total_seconds()
    if sort == "reward":
        return lambda group: -group.reward
    if sort == "available":
        return lambda group: -group.available
    return lambda group: -group.created_at.timestamp()


class Finding:
    """A worker's way to work that fits."""

    def __init__(self, store: Store) -> None:
        self._store = store

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
            return list_groups(tx, viewer(tx, worker_id), filters, cursor, limit)

    def group(self, worker_id: str, group_id: str) -> Group:
        """One group by HITGroupId or HITTypeId."""
        with self._store.read() as tx:
            return describe_group(tx, viewer(tx, worker_id), find_type(tx, group_id))
