"""Which rows of a table workers may see: pictures that are held back, kept out, or shown with a warning."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from ...curation.types import Progress, no_progress
from ..app import App
from ..asking.gate import LOOK
from ..errors import NothingToDo, SafetyStop
from ..gate.look import look_at_media, not_looking, rulings, unlooked
from ..market.media import file_key, keep_media
from ..wording import counted, noun
from ..workspace.gated import Known, Ruling
from .hosted import Files
from .table import Table

__all__ = ["GatedRows", "check_held", "gate_rows"]


@dataclass(frozen=True, slots=True)
class GatedRows:
    """The rows without those that are kept out, and the cells that are held, kept out or have a warning."""

    table: Table
    files: Files
    held: tuple[str, ...]
    kept_out: frozenset[str]
    warned: frozenset[str]
    notes: tuple[str, ...]


def gate_rows(
    app: App, table: Table, files: Files, wanted: Collection[str], *, look: bool, progress: Progress = no_progress
) -> GatedRows:
    """What of the table may be sent. With `look` every picture is looked at once, and kept in the workspace's `media/`
    for that; without it only what is known of them already counts. What lies elsewhere is never looked at.

    Raises NothingToDo where all rows are kept out.
    """
    if not files.by_cell:
        return GatedRows(table, files, (), frozenset(), frozenset(), ())
    keys = {cell: file_key(path) for cell, path in files.by_cell.items()}
    new = unlooked(app, keys.values()) if not not_looking(app) else []
    if look and new:
        about = {keep_media(app.workspace, files.by_cell[cell]): Known(cell, "picture") for cell in keys}
        look_at_media(app, about, progress)
        new = []
    now = rulings(app)
    by = {ruling: [cell for cell, key in keys.items() if now.of(key) is ruling] for ruling in Ruling}
    out = frozenset(by[Ruling.KEEP_OUT])
    places = [number for number, name in enumerate(table.columns) if name in wanted]
    rows = tuple(row for row in table.rows if not any(row[place] in out for place in places))
    if not rows:
        raise NothingToDo("You keep the pictures of all rows out: galloway gate list")
    left = replace(files, by_cell={cell: path for cell, path in files.by_cell.items() if cell not in out})
    notes = _notes(by, len(table.rows) - len(rows), len(new), not_looking(app))
    return GatedRows(replace(table, rows=rows), left, tuple(by[Ruling.HELD]), out, frozenset(by[Ruling.WARN]), notes)


def _notes(by: dict[Ruling, list[str]], rows_out: int, new: int, blind: str) -> tuple[str, ...]:
    told = [blind] if blind else []
    if new:
        told.append(f"{counted(new, 'picture')} {noun(new, 'is', 'are')} looked at before anything is sent.")
    if by[Ruling.HELD]:
        told.append(_held(by[Ruling.HELD]))
    if rows_out:
        told.append(f"{counted(rows_out, 'row')} {noun(rows_out, 'shows', 'show')} what you keep out: not sent.")
    if by[Ruling.WARN]:
        told.append(
            f"{counted(len(by[Ruling.WARN]), 'picture')} with a warning, blurred until tapped: all HITs go to workers "
            "who asked for such."
        )
    return tuple(told)


def _held(cells: Sequence[str]) -> str:
    stays = noun(len(cells), "is", "are")
    return (
        f"{counted(len(cells), 'picture')} {stays} held back, {cells[0][:80]!r} first: likely sexual, as a model "
        f"judges that knows nothing of violence. Look, and say what becomes of them: {LOOK}"
    )


def check_held(cells: Sequence[str]) -> None:
    """Raise SafetyStop where pictures of a table are held back: a row that is left out now could not be sent later."""
    if cells:
        raise SafetyStop(f"{_held(cells)}. Nothing was sent.")
