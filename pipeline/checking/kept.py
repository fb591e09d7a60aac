"""The workers' figures as a page shows them: computed at once where votes are few; where they are many, as they were
computed last, with the moment. Computing them reads every vote and every page, half a minute at 800,000 votes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from ...curation.report.advice import Advice, Next
from ...curation.report.workers import Rate
from ...curation.types import FaceId
from ..app import App
from ..asking.heeded import heeded_state
from ..workspace.figures import keep_figure, kept_figure
from .crew import Again, Seen, WorkerGroup, WorkerLine, WorkerRow, again, seen_by, seen_now
from .signs import Sign

__all__ = ["AT_ONCE", "CrewPage", "crew_page", "keep_crew"]

AT_ONCE = 20_000
"""Up to so many votes a page waits for the figures: half a second."""
_NAME = "crew"


@dataclass(frozen=True, slots=True)
class CrewPage:
    """What the page of workers shows. `as_of` is when it was computed, None where it is of this moment; `since` is how
    many votes came or went after it."""

    groups: list[WorkerGroup]
    lines: list[WorkerLine]
    again: list[Again]
    as_of: datetime | None = None
    since: int = 0


def crew_page(app: App, *, at_once: int = AT_ONCE) -> CrewPage | None:
    """The figures to show now: computed where there are up to `at_once` votes, else those that `keep_crew` kept; None
    where nobody computed them yet."""
    votes = app.store.count_votes()
    if votes <= at_once:
        return _page(app, seen_now(app), again(app))
    kept = kept_figure(app.workspace, _NAME)
    if kept is None:
        return None
    groups = tuple(_group(item) for item in kept.body["groups"])
    signs = {name: tuple(Sign(**sign) for sign in told) for name, told in kept.body["signs"].items()}
    more = [Again(part["question"], _faces(part["faces"]), part["total"]) for part in kept.body["again"]]
    old = kept.state != _state(app)
    since = abs(votes - int(kept.body["votes"]))
    return _page(app, Seen(groups, signs), more, kept.made_at if old else None, since if old else 0)


def keep_crew(app: App, *, at_once: int = AT_ONCE) -> None:
    """Compute the figures and keep them, where a page would not wait for them."""
    votes = app.store.count_votes()
    if votes <= at_once:
        return
    state, seen = _state(app), seen_now(app)
    body = {
        "votes": votes,
        "groups": [asdict(group) | {"rows": [_plain(row) for row in group.rows]} for group in seen.groups],
        "signs": {name: [asdict(sign) for sign in told] for name, told in seen.signs.items()},
        "again": [asdict(part) for part in again(app)],
    }
    keep_figure(app.workspace, _NAME, state, body)


def _state(app: App) -> str:
    return f"{heeded_state(app)} {app.ledger.count_answers()}"


def _page(app: App, seen: Seen, more: Sequence[Again], as_of: datetime | None = None, since: int = 0) -> CrewPage:
    groups, lines = seen_by(app, seen)
    return CrewPage(groups, lines, list(more), as_of, since)


def _plain(row: WorkerRow) -> dict[str, Any]:
    """A row as JSON; what was earned is looked up whenever it is shown."""
    return asdict(row) | {"earned": "0.00"}


def _group(kept: Mapping[str, Any]) -> WorkerGroup:
    return WorkerGroup(kept["question"], tuple(_row(row) for row in kept["rows"]))


def _row(kept: Mapping[str, Any]) -> WorkerRow:
    advice = Advice(Next(kept["advice"]["next"]), kept["advice"]["why"])
    values = {
        "answers": tuple((label, count) for label, count in kept["answers"]),
        "agreement": Rate(**kept["agreement"]), "gold": Rate(**kept["gold"]),
        "flags": tuple(kept["flags"]), "kinds": tuple(kept["kinds"]), "advice": advice,
        "earned": Decimal(kept["earned"]),
    }  # fmt: skip
    return WorkerRow(**{**kept, **values})


def _faces(kept: Sequence[Sequence[Any]]) -> tuple[tuple[FaceId, str, float], ...]:
    return tuple((FaceId(face), status, gain) for face, status, gain in kept)
