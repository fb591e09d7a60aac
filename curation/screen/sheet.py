"""Contact sheets: faces ordered by what screening believes, in three bands, on one picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

__all__ = ["Band", "Tile", "bands_of", "contact_sheet"]

_TILE = 96
_GAP = 8
_CAPTION = 30
_EMPTY = 24
_INK = (24, 24, 24)
_SOFT = (90, 90, 90)
_PAPER = (255, 255, 255)

Thumbnail = Callable[[int], Image.Image | None]
"""Index of a face → its picture, None where it is gone."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One face: its index for the thumbnail, and two short lines under it."""

    index: int
    first: str
    second: str = ""


@dataclass(frozen=True, slots=True)
class Band:
    """Faces under one heading. `total` is how many there are; `tiles` may be a sample of them."""

    heading: str
    total: int
    tiles: tuple[Tile, ...]


def bands_of(
    keep: Sequence[float], notes: Sequence[str], *, low: float, high: float, most: int = 60
) -> tuple[Band, ...]:
    """Faces in order of `keep`: surely kept, to be asked, surely rejected. At most `most` evenly spaced of each."""
    order = sorted(range(len(keep)), key=lambda index: (-keep[index], index))
    parts = (
        (f"Screening would keep (p at least {high:g})", [i for i in order if keep[i] >= high]),
        ("Ask people", [i for i in order if low < keep[i] < high]),
        (f"Screening would reject (p at most {low:g})", [i for i in order if keep[i] <= low]),
    )
    return tuple(
        Band(heading, len(part), tuple(Tile(i, f"{keep[i]:.3f}", notes[i]) for i in _spaced(part, most)))
        for heading, part in parts
    )


def contact_sheet(bands: Sequence[Band], thumbnail: Thumbnail, *, title: str, columns: int = 12) -> Image.Image:
    """Draw the bands one below the other. The width is fixed by `columns`, the height grows."""
    width = columns * (_TILE + _GAP) + _GAP
    rows = [math.ceil(len(band.tiles) / columns) for band in bands]
    heights = [34 + (count * (_TILE + _CAPTION + _GAP) or _EMPTY) for count in rows]
    sheet = Image.new("RGB", (width, 44 + sum(heights)), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, 10), title, fill=_INK, font=ImageFont.load_default(20))
    top = 44
    for band, height in zip(bands, heights, strict=True):
        _draw_band(sheet, draw, band, thumbnail, top, columns)
        top += height
    return sheet


def _draw_band(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, band: Band, thumbnail: Thumbnail, top: int, columns: int
) -> None:
    shown = "" if len(band.tiles) == band.total else f", {len(band.tiles)} of them shown"
    draw.line((_GAP, top, sheet.width - _GAP, top), fill=_SOFT)
    draw.text((_GAP, top + 6), f"{band.heading}: {band.total}{shown}", fill=_INK, font=ImageFont.load_default(16))
    small = ImageFont.load_default(12)
    if not band.tiles:
        draw.text((_GAP, top + 32), "none", fill=_SOFT, font=small)
    for place, tile in enumerate(band.tiles):
        x = _GAP + (place % columns) * (_TILE + _GAP)
        y = top + 32 + (place // columns) * (_TILE + _CAPTION + _GAP)
        picture = thumbnail(tile.index)
        if picture is not None:
            sheet.paste(picture.convert("RGB").resize((_TILE, _TILE)), (x, y))
        draw.rectangle((x, y, x + _TILE - 1, y + _TILE - 1), outline=_SOFT)
        draw.text((x, y + _TILE + 1), _fitted(tile.first, small), fill=_INK, font=small)
        draw.text((x, y + _TILE + 14), _fitted(tile.second, small), fill=_SOFT, font=small)


def _fitted(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    if font.getlength(text) <= _TILE:
        return text
    while text and font.getlength(text + "…") > _TILE:
        text = text[:-1]
    return text + "…"


def _spaced(items: list[int], most: int) -> list[int]:
    if len(items) <= most:
        return items
    return [items[round(place * (len(items) - 1) / (most - 1))] for place in range(most)]
