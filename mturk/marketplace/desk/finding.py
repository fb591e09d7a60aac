"""Finding work: groups as one worker sees them, and previews."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any, Literal

import sqlalchemy as sa

from ..errors import NotFound
from ..lifecycle import grants, standing
from ..rules import qualifications as rules
from ..rules.money import ABSURD_HOURLY, hourly, to_decimal
from ..rules.qualifications import SYSTEM_TYPES, Held, Requirement
from ..stamps import from_ms
from ..store import Store, Tx, one, rows
from ..store.tables import HOLDING, assignment, hit, hit_type, hit_type_requirement, qualification_type, requester
from ..store.transactions import Row
from .values import Group, GroupPage, Unmet

__all__ = [
    "COUNTED",
    "Filters",
    "Finding",
    "Sort",
    "Viewer",
    "describe_group",
    "find_type",
    "list_groups",
    "named_type",
    "present",
    "unmet_of",
    "viewer",
]

Sort = Literal["newest", "reward", "hourly", "time", "available"]
COUNTED = 1000
"""So many kinds of work are counted for a page of the list; that there are more is said, not how many."""
_MOST = 2**62
"""Above every stored number; what a form asks beyond it is the same."""


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


def present(tx: Tx, worker_id: str) -> Row:
    """The worker's row. NotFound for one who has left."""
    return standing.here(standing.find_worker(tx, worker_id))


def viewer(tx: Tx, worker_id: str) -> Viewer:
    """The worker as a viewer. NotFound for one who has left."""
    person = present(tx, worker_id)
    blockers = frozenset(standing.blocked_by(tx, worker_id))
    return Viewer(person, standing.held_qualifications(tx, person), blockers)


def _done(who: Viewer) -> sa.Subquery:
    """How many HITs of each type are open but not to this worker, who has had them."""
    return (
        sa.select(assignment.c.type_id, sa.func.count().label("done"))
        .join(hit, hit.c.id == assignment.c.hit_id)
        .where(
            assignment.c.worker_id == who.person["id"],
            assignment.c.state.in_(HOLDING),
            hit.c.status == "Assignable",
        )
        .group_by(assignment.c.type_id)
        .subquery()
    )


def _open_types(who: Viewer) -> sa.Select[Any]:
    """HIT types with HITs that are open to this worker, with how many."""
    done = _done(who)
    available = hit_type.c.open_hits - sa.func.coalesce(done.c.done, 0)
    stopped = sa.select(requester.c.id).where(requester.c.revoked_at.is_not(None))
    return (
        sa.select(hit_type, available.label("available"))
        .outerjoin(done, done.c.type_id == hit_type.c.id)
        .where(
            hit_type.c.open_hits > 0,
            available > 0,
            hit_type.c.requester_id.not_in(stopped),
            hit_type.c.requester_id.not_in(sorted(who.blockers)),
        )
    )


# By the types that ask for something: most ask for nothing.
_REQUIREMENTS = (
    sa.select(hit_type.c.requirements)
    .where(
        hit_type.c.id.in_(sa.select(hit_type_requirement.c.hit_type_id)),
        hit_type.c.open_hits > 0,
    )
    .distinct()
)
_TYPES = sa.select(hit_type, requester.c.name.label("requester_name"), requester.c.approved, requester.c.rejected).join(
    requester, requester.c.id == hit_type.c.requester_id
)


def named_type(name: sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """Whether a HIT type is the one of a HITGroupId or HITTypeId."""
    return sa.or_(hit_type.c.group_id == name, hit_type.c.id == name)


_TYPE = _TYPES.where(named_type(sa.bindparam("wanted")))


def find_type(tx: Tx, group_id: str) -> Row:
    """The HIT type behind a HITGroupId or HITTypeId, with its requester. NotFound."""
    row = one(tx, _TYPE, {"wanted": group_id})
    if row is None:
        raise NotFound("There is no such group of HITs.")
    return row


def _entries(found: sa.Select[Any]) -> sa.Select[Any]:
    """The kinds of work among open types: of each the type that was made last, and what all of them have together."""
    columns = found.selected_columns
    return found.with_only_columns(
        sa.func.max(columns.seq).label("seq"),
        sa.func.sum(columns.available).label("available"),
        sa.func.avg(columns.median_ms).label("median_ms"),
        sa.func.max(columns.newest_at).label("newest_at"),
        sa.func.max(columns.last_at).label("last_at"),
    ).group_by(columns.work_kind)


def describe_group(tx: Tx, who: Viewer, kind: Row, *, count: bool = True) -> Group:
    """A kind of work by the row of one of its types. Without `count`, `available` is 0."""
    if "available" not in kind:
        counted = rows(tx, _entries(_open_types(who).where(hit_type.c.work_kind == kind["work_kind"]))) if count else []
        kind = {**kind, **_together(counted[0])} if counted else {**kind, "available": 0}
    requirements = standing.requirements_of(kind["requirements"])
    seconds = kind["median_ms"] / 1000 if kind["median_ms"] is not None else None
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
        created_at=from_ms(kind["newest_at"] or kind["created_at"]),
        expires_at=from_ms(kind["last_at"] or kind["created_at"]),
        unmet=unmet_of(tx, who, standing.unmet(requirements, who.held)),
        can_preview=not standing.unmet(requirements, who.held, "Preview"),
        median_seconds=seconds,
        hourly=hourly(kind["reward_cents"], kind["median_ms"]),
        approval_rate=kind["approved"] / decided if decided else None,
    )


def _together(entry: Row) -> Row:
    """What an entry of the list says in place of its newest type's own."""
    usual = entry["median_ms"]
    said = {name: entry[name] for name in ("newest_at", "last_at")}
    # PostgreSQL sums to decimals.
    return said | {"available": int(entry["available"]), "median_ms": None if usual is None else round(usual)}


def unmet_of(tx: Tx, who: Viewer, requirements: Iterable[Requirement]) -> tuple[Unmet, ...]:
    """What a worker lacks, as pages tell it: by name, and whether it can be asked for."""
    return tuple(_unmet(tx, who, item) for item in requirements)


def _unmet(tx: Tx, who: Viewer, requirement: Requirement) -> Unmet:
    have = who.held.get(requirement.type_id)
    wanted = rules.describe(requirement)
    if have is rules.GONE:
        have, wanted = None, "there still (its requester has removed it)"
    place = "-".join(part for part in (have.country, have.subdivision) if part) if have else ""
    value = "" if have is None else place or str(have.value)
    if requirement.type_id in SYSTEM_TYPES:
        name = SYSTEM_TYPES[requirement.type_id][0]
        return Unmet(requirement.type_id, name, wanted, value, False, False)
    kind = one(tx, sa.select(qualification_type).where(qualification_type.c.id == requirement.type_id))
    usable = kind is not None and kind["deleted_at"] is None and kind["status"] == "Active"
    can_request = usable and kind is not None and not grants.refusal_to_ask(tx, kind, who.person["id"])
    name = kind["name"] if kind is not None else requirement.type_id
    has_test = kind is not None and kind["deleted_at"] is None and kind["test"] is not None
    return Unmet(requirement.type_id, name, wanted, value, can_request, has_test)


def list_groups(tx: Tx, who: Viewer, filters: Filters, cursor: str | None, limit: int) -> GroupPage:
    """The kinds of work that this worker may discover, sorted; the cursor is the number of those seen so far."""
    found = _asked_for(_open_types(who), filters)
    hidden = [text for text in _requirements(tx) if _hides(who, text, qualified_only=filters.qualified_only)]
    if hidden:
        found = found.where(hit_type.c.requirements.not_in(hidden))
    start = int(cursor) if cursor and cursor.isascii() and cursor.isdigit() and len(cursor) < 9 else 0
    found_rows = rows(tx, _sorted(found, filters.sort).limit(limit + 1).offset(start))
    shown = _whole(tx, found, [entry["work_kind"] for entry in found_rows])
    more = len(shown) > limit
    total = _count(tx, found) if more or start else len(shown)
    page = tuple(describe_group(tx, who, kind) for kind in shown[:limit])
    return GroupPage(page, str(start + limit) if more else None, min(total, COUNTED), total <= COUNTED)


def _requirements(tx: Tx) -> list[str]:
    """What the open groups ask for, each once: a few texts for thousands of groups."""
    return [text for text in tx.conn.scalars(_REQUIREMENTS) if text not in ("", "[]")]


def _hides(who: Viewer, text: str, *, qualified_only: bool) -> bool:
    requirements = standing.requirements_of(text)
    return bool(standing.unmet(requirements, who.held, "Accept" if qualified_only else "Discover"))


def _asked_for(found: sa.Select[Any], filters: Filters) -> sa.Select[Any]:
    for word in filters.query.lower().split():
        found = found.where(hit_type.c.words.contains(word, autoescape=True))
    if filters.min_reward is not None:
        found = found.where(
            hit_type.c.reward_cents >= min(_MOST, int((filters.min_reward * 100).to_integral_value(ROUND_CEILING)))
        )
    if filters.max_minutes is not None:
        found = found.where(hit_type.c.duration_s <= min(_MOST, 60 * filters.max_minutes))
    return found


def _count(tx: Tx, found: sa.Select[Any]) -> int:
    """How many kinds of work there are; of more than `COUNTED` one more than that."""
    kind = found.selected_columns.work_kind
    kinds = found.with_only_columns(kind).group_by(kind).limit(COUNTED + 1).subquery()
    return int(tx.conn.scalar(sa.select(sa.func.count()).select_from(kinds)) or 0)


def _sorted(found: sa.Select[Any], sort: Sort) -> sa.Select[Any]:
    """The kinds of work in their order: each by its key and what it is sorted by, which an index holds. Everything else
    is read for those that are shown."""
    columns = found.selected_columns
    key, newest = _key(columns, sort).label("key"), sa.func.max(columns.seq).label("newest")
    entry = found.with_only_columns(columns.work_kind, key, newest).group_by(columns.work_kind).subquery().c
    # Where nothing is known of it, a kind comes last; the two databases put NULL at opposite ends.
    order = [entry.key] if sort == "time" else [entry.key.is_(None), entry.key.desc()]
    return sa.select(entry.work_kind).order_by(*order, entry.newest.desc())


def _key(columns: sa.ColumnCollection[str, Any], sort: Sort) -> sa.ColumnElement[Any]:
    """What kinds of work are sorted by, of all types of one kind."""
    reward, usual = sa.func.max(columns.reward_cents), sa.func.nullif(sa.func.avg(columns.median_ms), 0)
    if sort == "reward":
        return reward
    if sort == "available":
        return sa.func.sum(columns.available)
    if sort == "hourly":
        paid = sa.cast(reward, sa.Float()) / usual
        # What is not shown is not sorted by: cents a millisecond above the highest figure that is believed.
        return sa.case((paid <= float(ABSURD_HOURLY) / 36_000, paid))
    if sort == "time":
        return sa.func.coalesce(usual, 1000 * sa.func.max(columns.duration_s))
    return sa.func.max(columns.newest_at)


def _whole(tx: Tx, found: sa.Select[Any], kinds: list[str]) -> list[Row]:
    """These kinds of work, in this order: the rows of their newest types, with what all their types have together."""
    entries = rows(tx, _entries(found.where(hit_type.c.work_kind.in_(kinds))))
    types = {kind["seq"]: kind for kind in rows(tx, _TYPES.where(hit_type.c.seq.in_([e["seq"] for e in entries])))}
    whole = {types[entry["seq"]]["work_kind"]: types[entry["seq"]] | _together(entry) for entry in entries}
    return [whole[kind] for kind in kinds]


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
        """Kinds of work that this worker may discover. An unreadable cursor starts again at the first page."""
        filters = Filters(sort, query, qualified_only, min_reward, max_minutes)
        with self._store.read() as tx:
            return list_groups(tx, viewer(tx, worker_id), filters, cursor, limit)

    def group(self, worker_id: str, group_id: str) -> Group:
        """One group by HITGroupId or HITTypeId."""
        with self._store.read() as tx:
            return describe_group(tx, viewer(tx, worker_id), find_type(tx, group_id))
