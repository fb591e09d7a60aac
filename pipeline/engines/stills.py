"""A result as a folder of pictures, one PNG a frame, as studios and faceswap itself work."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from ...curation.files import picture_files
from .frames import Change, Frame, Source, changed_picture, distinct_stems
from .pixels import is_clear, opacity

__all__ = ["write_stills"]

_EFFORT = 1
"""zlib's level: a third of the time of 6 for a tenth more bytes."""


def write_stills(
    source: Source,
    folder: Path,
    changes: Callable[[Iterator[Frame]], Iterator[tuple[Frame, Change]]],
    metadata: Mapping[str, str],
) -> int:
    """Write every frame of `source` through `changes` into `folder`; the number of frames.

    Frames of a video are named as faceswap names them, `<stem>_%06d.png` from 1; pictures keep their names. Each holds
    `metadata` as text, and the transparency that a video has. The folder appears when it is whole and takes the place
    of an earlier one.
    """
    part = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    stems = {} if source.is_video else distinct_stems([path.name for path in picture_files(source.path)])
    told = PngImagePlugin.PngInfo()
    for key, text in metadata.items():
        told.add_itxt(key, text)
    written = 0
    try:
        for frame, change in changes(source.read()):
            name = stems.get(frame.name) or f"{source.path.stem}_{frame.number:06d}"
            picture = Image.fromarray(changed_picture(frame, change))
            if frame.native is not None and is_clear(frame.native):
                of_change = change is not None and not isinstance(change, np.ndarray)
                picture.putalpha(Image.fromarray(opacity(change if of_change else frame.native)))
            picture.save(part / f"{name}.png", pnginfo=told, compress_level=_EFFORT)
            written += 1
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    _replace(part, folder)
    return written


def _replace(part: Path, folder: Path) -> None:
    """Put a finished folder in its place; a kill in between leaves the old one beside."""
    if folder.exists():
        old = folder.with_name(f".{folder.name}.before")
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
        part.rename(folder)
        shutil.rmtree(old)
    else:
        part.rename(folder)
