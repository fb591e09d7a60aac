"""What people look at after a conversion: the film beside its source, and a sheet of frames before and after.

Both are made of the result as it was written and of its source, in one reading: neither can show what is not in the
result.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from ...curation.types import Progress
from .disclosure import METADATA
from .evenly import evenly
from .film import fitted, rewrite
from .frames import RGB, Change, Frame, Source, open_source
from .pixels import beside_one_another
from .preview import contact_sheet, save_picture

__all__ = ["SHEET_FRAMES", "sheet_numbers", "show_beside"]

SHEET_FRAMES = 8


def sheet_numbers(swapped: Collection[int]) -> frozenset[int]:
    """The frames of the contact sheet: spread evenly over those that were swapped."""
    numbers = sorted(swapped)
    if not numbers:
        return frozenset()
    return frozenset(numbers[place] for place in evenly(len(numbers), SHEET_FRAMES))


def show_beside(
    source: Source,
    result: Path,
    numbers: Collection[int],
    video: Path | None,
    sheet: Path | None,
    progress: Progress,
) -> None:
    """Write `video`, the source on the left and the result on the right with the sound, and `sheet` with the frames
    `numbers`; None: not that one."""
    pairs: list[tuple[int, RGB, RGB]] = []
    after = open_source(result, rate=source.rate).read()

    def beside(frame: Frame) -> Change:
        new = next(after)
        if frame.number in numbers and sheet is not None:
            pairs.append((frame.number, *_alike(frame, new, source)))
        progress("side by side", frame.number, source.frames)
        made = beside_one_another(frame.native, new.native) if frame.native and new.native else None
        return np.concatenate(_alike(frame, new, source), axis=1) if made is None else made

    if video is not None:
        rewrite(source, video, beside, metadata=METADATA, size=(2 * source.width, source.height))
    elif sheet is not None:
        pairs = list(_pairs(source, after, numbers))
    if sheet is not None and pairs:
        save_picture(sheet, contact_sheet(pairs))


def _pairs(source: Source, after: Iterator[Frame], numbers: Collection[int]) -> Iterator[tuple[int, RGB, RGB]]:
    for before, new in islice(zip(source.read(), after, strict=False), max(numbers, default=0)):
        if before.number in numbers:
            yield before.number, *_alike(before, new, source)


def _alike(before: Frame, after: Frame, source: Source) -> tuple[RGB, RGB]:
    """Both pictures at the source's size: those of a folder may differ, and an odd size was made even in a video."""
    size = source.width, source.height
    old = fitted(before.image, *size)
    same = after.image.shape == before.image.shape
    return old, fitted(after.image, *size) if same else after.image[: size[1], : size[0]]
