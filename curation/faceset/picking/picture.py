"""The map of what was picked: a pose map for each light and mouth, with what the clip needs and nobody has crossed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ... import drawing
from ...drawing import Scale
from ..readiness.picture import INKS
from ..readiness.values import LIGHTS, MOUTHS, Thresholds
from .choose import Cell, Picked

__all__ = ["pick_svg"]

_GAP, _HEAD, _KEY, _LEFT = 14.0, 34.0, 64.0, 34.0
_LEAST, _MOST = 2, 6
"""Cells each way from the middle that are drawn."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """One pose map: where it stands, and its two scales."""

    across: Scale
    up: Scale
    words: str


def pick_svg(
    picked: Sequence[Picked],
    lacking: Sequence[tuple[Cell, int]],
    *,
    limits: Thresholds | None = None,
    narrow: bool = False,
) -> str:
    """An SVG with a panel for each mouth and light that is picked or lacks; `narrow` puts them below each other.

    A dark cell says how many faces were picked, a crossed one how many frames of the clip have no such face.
    """
    step = (limits or Thresholds()).cell
    taken, without = Counter(item.cell for item in picked), dict(lacking)
    shown = sorted({(MOUTHS.index(c.mouth), LIGHTS.index(c.light)) for c in (*taken, *without)})
    rows = _rows(shown, narrow=narrow)
    width = 390.0 if narrow else 980.0
    reach = [_reach([getattr(c, axis) for c in (*taken, *without)], step) for axis in ("yaw", "pitch")]
    wide = (width - _GAP) / (1 if narrow else len(LIGHTS))
    tall = (wide - _LEFT - _GAP) * reach[1] / reach[0]
    body = [drawing.hatch("lacks", "#fff", "#555", crossed=True), *_key(width, narrow=narrow)]
    for down, row in enumerate(rows):
        top = _KEY + down * (tall + _HEAD + 30) + _HEAD
        for mouth, light in row:
            left = _LEFT + (0 if narrow else light) * wide
            across = Scale(-reach[0], reach[0], left, left + wide - _LEFT - _GAP)
            panel = _Panel(across, Scale(-reach[1], reach[1], top + tall, top), f"{MOUTHS[mouth]}, {LIGHTS[light]}")
            here = {cell: n for cell, n in taken.items() if (cell.mouth, cell.light) == (MOUTHS[mouth], LIGHTS[light])}
            lack = {c: n for c, n in without.items() if (c.mouth, c.light) == (MOUTHS[mouth], LIGHTS[light])}
            body += _map(panel, here, lack, step)
    height = _KEY + len(rows) * (tall + _HEAD + 30) + _GAP
    return str(drawing.document(width, height, "Faces picked, and what lacks", body))


def _rows(shown: Sequence[tuple[int, int]], *, narrow: bool) -> list[list[tuple[int, int]]]:
    """Panels by rows: a mouth a row, or one panel a row."""
    if narrow:
        return [[panel] for panel in shown]
    return [row for mouth in range(len(MOUTHS)) if (row := [panel for panel in shown if panel[0] == mouth])]


def _reach(angles: Sequence[int], step: float) -> float:
    """How far a map goes each way, in degrees."""
    cells = max((abs(angle) / step for angle in angles), default=0.0)
    return (min(max(round(cells), _LEAST), _MOST) + 0.5) * step


def _key(width: float, *, narrow: bool) -> Iterator[Markup]:
    yield drawing.rect(10, 10, 22, 16, INKS["covered"])
    yield drawing.text(38, 22, "so many faces picked")
    left, top = (10.0, 32.0) if narrow else (width / 4, 10.0)
    yield drawing.rect(left, top, 22, 16, "url(#lacks)")
    yield drawing.text(left + 28, top + 12, "so many of the clip's frames have no such face")
    words = "across: yaw, up: pitch, degrees"
    yield drawing.text(10, 60, words) if narrow else drawing.text(10, 48, words)


def _map(panel: _Panel, here: dict[Cell, int], lack: dict[Cell, int], step: float) -> Iterator[Markup]:
    """One panel's cells, frame and words."""
    left, right, bottom, top = panel.across.start, panel.across.end, panel.up.start, panel.up.end
    yield drawing.text(left, top - 8, panel.words, size=12)
    for cells, fill, ink, halo in ((here, INKS["covered"], "#fff", False), (lack, "url(#lacks)", drawing.INK, True)):
        for cell, count in sorted(cells.items()):
            if abs(cell.yaw) > panel.across.high or abs(cell.pitch) > panel.up.high:
                continue
            x, y = panel.across(cell.yaw - step / 2), panel.up(cell.pitch + step / 2)
            wide, tall = panel.across(cell.yaw + step / 2) - x, panel.up(cell.pitch - step / 2) - y
            yield drawing.rect(x, y, wide, tall, fill, ink="#999")
            words = f"{count}" if count < 1000 else f"{count / 1000:.0f}k"
            yield drawing.text(x + wide / 2, y + tall / 2 + 4, words, anchor="middle", size=10, fill=ink, halo=halo)
    yield drawing.rect(left, top, right - left, bottom - top, "none", ink="#888")
    for value in _ticks(panel.across.high, step):
        yield drawing.text(panel.across(value), bottom + 14, f"{value:g}", anchor="middle", size=10)
    for value in _ticks(panel.up.high, step):
        yield drawing.text(left - 5, panel.up(value) + 4, f"{value:g}", anchor="end", size=10)


def _ticks(reach: float, step: float) -> list[float]:
    """The middles of cells from -reach to reach, every second one where they are many."""
    cells = int(reach / step)
    return [step * number for number in range(-cells, cells + 1) if cells <= 2 or number % 2 == 0]
