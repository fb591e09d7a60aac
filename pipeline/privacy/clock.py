"""The retention clock: the pictures of rejected faces and the embeddings go some days after there is nothing left to
clean. What goes, and when, is said first: nothing goes that was not told before, nor earlier than it was told.

`mind` is run, under the workspace's lock, by commands that are run anyway; killed anywhere, the next one goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ...curation.faceset.merging.erasure import erase_rejected, held_pictures, is_erased
from ...curation.faceset.merging.merge import pending
from ...curation.listing import count_statuses
from ...curation.types import Side, Status
from ..app import App
from ..asking.progress import waiting_pairs
from ..asking.screening import forget_embeddings, has_embeddings
from ..wording import counted
from ..workspace.acts import note_act
from ..workspace.approved import facesets
from ..workspace.bucket.mirror import agreed
from ..workspace.gated import drop_gated
from ..workspace.records import frozen_batches, sources
from .gone import clock_state, erased_on, keep_state

__all__ = ["Due", "due", "goes_now", "mind", "take_now"]

NOTICE = timedelta(days=7)
"""What was not told before goes no earlier than so long after it is told; what is set to fewer days, after these."""
_EMBEDDINGS = "embeddings"


@dataclass(frozen=True, slots=True)
class Due:
    """Something that goes: `key` names it in the clock's file; `on` is None as long as it `waits` for the reason
    given."""

    key: str
    what: str
    on: datetime | None
    waits: str = ""

    def text(self) -> str:
        """When it goes, or why not yet."""
        return f"{self.what}: {f'goes on {self.on:%d %b %Y}' if self.on else f'stays, {self.waits}'}"


def due(app: App, now: datetime | None = None) -> list[Due]:
    """What is there that goes one day, and when: never earlier than it was told. Nothing is written."""
    now, state = now or datetime.now(UTC), clock_state(app)
    return [_told(app, item, state["told"], now) for item in _by_settings(app)]


def _by_settings(app: App) -> list[Due]:
    days, found, newest = app.settings.privacy, [], []
    open_ = {side: why for side in Side if (why := _unfinished(app, side))}
    for side in Side:
        for faceset in facesets(app.workspace, side):
            if faceset.undone_at is not None:
                continue
            newest.append(faceset.approved_at)
            if count := held_pictures(app.faceset_paths(side), faceset.merge_id):
                what = f"{counted(count, 'picture')} of rejected faces, side {side.value}, merge {faceset.merge_id}"
                on = faceset.approved_at + timedelta(days=days.rejected_days)
                found.append(Due(faceset.id, what, None if side in open_ else on, open_.get(side, "")))
    if has_embeddings(app):
        why = next(iter(open_.values()), "")
        on = max(newest, default=datetime.now(UTC)) + timedelta(days=days.embeddings_days)
        found.append(Due(_EMBEDDINGS, "embeddings of faces, and what was computed of them", None if why else on, why))
    return found


def _unfinished(app: App, side: Side) -> str:
    """Why the side's faceset is not finished; "" where it is approved and nothing waits."""
    merged = app.standing_merge(side)
    if merged is None:
        return f"side {side.value} is not merged"
    if pending(app.faceset_paths(side)):
        return f"a merge of side {side.value} was stopped half way"
    if any(item.faces is None for item in sources(app.workspace, side)):
        return f"footage of side {side.value} is not extracted yet"
    mine = app.store.face_ids(side, rejected=True)
    markets = {batch.market for batch in frozen_batches(app.workspace)}
    if any(face in mine for market in markets for face, _ in waiting_pairs(app, market)):
        return f"faces of side {side.value} stand on open pages"
    counts = count_statuses(app.workspace.db, standing=True)[side]
    if counts[Status.REJECTED]:
        return f"rejected faces of side {side.value} wait for a merge"
    if len(app.store.face_ids(side)) > merged.faces:
        return f"faces of side {side.value} came in after its merge"
    return ""


def _told(app: App, item: Due, told: Mapping[str, str], now: datetime) -> Due:
    """As it was told, where it was; never earlier than that, and with notice where the days became fewer."""
    if item.on is None:
        return item
    days = app.settings.privacy.embeddings_days if item.key == _EMBEDDINGS else app.settings.privacy.rejected_days
    notice = now + min(NOTICE, timedelta(days=days))
    before = datetime.fromisoformat(told[item.key]) if item.key in told else None
    on = max(item.on, notice) if before is None else max(item.on, min(before, notice))
    return Due(item.key, item.what, on)


def mind(app: App, now: datetime | None = None) -> list[str]:
    """Take what is due and was told; tell of the rest what goes when, once. The caller holds the workspace's lock.

    What is told in this call goes in a later one at the earliest.
    """
    now = now or datetime.now(UTC)
    lines, state = _finish_killed(app, now), clock_state(app)
    for item in due(app, now):
        told = state["told"].get(item.key)
        if item.on is None:
            if told is not None:  # what is needed again is told anew
                del state["told"][item.key]
                keep_state(app, state)
            continue
        if told is not None and item.on <= now:
            lines.append(_take(app, item, now))
            state = clock_state(app)
        elif told != item.on.isoformat():
            if told is None or datetime.fromisoformat(told).date() != item.on.date():
                lines.append(f"{item.text()} ([privacy] in galloway.toml; all of it: galloway privacy status).")
            state["told"][item.key] = item.on.isoformat()
            keep_state(app, state)
    return lines


def _finish_killed(app: App, now: datetime) -> list[str]:
    """End what a killed run began: the manifest says that the pictures went, and nobody noted it."""
    lines, state = [], clock_state(app)
    for side in Side:
        paths = app.faceset_paths(side)
        for one in facesets(app.workspace, side):
            if one.undone_at is None and one.id not in state["gone"] and is_erased(paths, one.merge_id):
                what = f"pictures of rejected faces, side {side.value}, merge {one.merge_id}"
                lines.append(_take(app, Due(one.id, what, now), now))
    if _EMBEDDINGS in state["told"] and not has_embeddings(app):
        _note_gone(app, _EMBEDDINGS, now)
    return lines


def goes_now(app: App, *, early: bool, now: datetime | None = None) -> list[Due]:
    """What is due by the settings, told before or not, since somebody asks for it; `early`: all that no unfinished
    faceset needs."""
    now = now or datetime.now(UTC)
    return [item for item in _by_settings(app) if item.on is not None and (early or item.on <= now)]


def take_now(app: App, *, early: bool, now: datetime | None = None) -> list[str]:
    """Take that. The caller holds the workspace's lock."""
    now = now or datetime.now(UTC)
    done = [*_finish_killed(app, now), *(_take(app, item, now) for item in goes_now(app, early=early, now=now))]
    if done:
        note_act(app.workspace, "delete", "early" if early else "as [privacy] says", f"{len(done)} kinds of things")
    return done


def _take(app: App, item: Due, now: datetime) -> str:
    """Delete it, and note that. Twice is once."""
    if item.key == _EMBEDDINGS:
        state = clock_state(app)
        state["gone"][_EMBEDDINGS] = now.isoformat()
        keep_state(app, state)  # first: from now on what the model decided stands without them
        forget_embeddings(app)
    else:
        side, _, merge_id = item.key.partition("-")
        mirror = agreed(app.workspace.root, app.settings)
        if mirror is not None:
            mirror.fetch()
        erase_rejected(app.faceset_paths(Side(side)), merge_id, now)
        drop_gated(app.workspace, map(str, erased_on(app, Side(side))))
        _drop_sheets(app)
        if mirror is not None:
            mirror.put()
    _note_gone(app, item.key, now)
    if item.key == _EMBEDDINGS:
        return f"{item.what}: gone. What was decided with them stands."
    return (
        f"{item.what}: gone, with the contact sheets and reports that show them, which a command makes anew. A hash of "
        "each and why it was rejected stay; taking the merge back ends its approval and brings no face back."
    )


def _note_gone(app: App, key: str, now: datetime) -> None:
    state = clock_state(app)
    state["told"].pop(key, None)
    state["gone"][key] = now.isoformat()
    keep_state(app, state)


def _drop_sheets(app: App) -> None:
    """Contact sheets and reports with pictures show rejected faces, too; a command makes each anew."""
    for path in (app.workspace.root / "reports").glob("*"):
        if path.suffix in (".png", ".html") and path.is_file():
            path.unlink()
