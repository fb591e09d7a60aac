"""Preview sheets of training and contact sheets of conversion, as PNG and JPEG, written atomically."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from ...curation.files import replacing

__all__ = ["contact_sheet", "save_picture", "training_sheet"]

Picture = NDArray[np.uint8]
_TILE = 128
_GAP = 4
_CAPTION = 22
_BACKGROUND, _INK = (24, 26, 30), (235, 235, 235)
_CAPTIONS = ("A", "A as A", "A as B", "B", "B as B", "B as A")


def save_picture(path: Path, picture: Image.Image) -> Path:
    """Write a PNG or JPEG beside its target and rename it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path, durable=False) as partial:
        picture.save(partial, quality=85)
    return path


def training_sheet(columns: Sequence[NDArray[np.float32]], title: str) -> Image.Image:
    """A sheet of six columns: A, A drawn as A and as B, then B, drawn as B and as A; one row a face.

    Each column is float32 (n, size, size, 3) in 0 … 1.
    """
    rows = len(columns[0])
    width = len(columns) * (_TILE + _GAP) + _GAP * 3
    sheet = Image.new("RGB", (width, 2 * _CAPTION + rows * (_TILE + _GAP) + _GAP), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    draw.text((_GAP * 2, 4), title, fill=_INK, font=font)
    for column, (caption, faces) in enumerate(zip(_CAPTIONS, columns, strict=True)):
        left = _GAP + column * (_TILE + _GAP) + (_GAP * 2 if column >= 3 else 0)
        draw.text((left + 4, _CAPTION + 2), caption, fill=_INK, font=font)
        for row, face in enumerate(faces):
            pixels = np.clip(face * 255 + 0.5, 0, 255).astype(np.uint8)
            tile = Image.fromarray(pixels).resize((_TILE, _TILE), Image.Resampling.BICUBIC)
            sheet.paste(tile, (left, 2 * _CAPTION + row * (_TILE + _GAP)))
    return sheet


def contact_sheet(pairs: Sequence[tuple[int, Picture, Picture]], columns: int = 4) -> Image.Image:
    """Frames before and after, one above the other: (number, original, converted) each."""
    width = 320
    height = round(width * pairs[0][1].shape[0] / pairs[0][1].shape[1])
    rows = -(-len(pairs) // columns)
    block = _CAPTION + 2 * height + 2 * _GAP
    across = min(columns, len(pairs))
    sheet = Image.new("RGB", (across * (width + _GAP) + _GAP, rows * block + _GAP), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(13)
    for index, (number, before, after) in enumerate(pairs):
        left = _GAP + index % columns * (width + _GAP)
        top = _GAP + index // columns * block
        draw.text((left + 2, top), f"frame {number}: before, after", fill=_INK, font=font)
        for place, picture in enumerate((before, after)):
            tile = Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC, reducing_gap=2)
            sheet.paste(tile, (left, top + _CAPTION - 4 + place * (height + 2)))
    return sheet
