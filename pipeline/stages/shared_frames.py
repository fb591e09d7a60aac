"""Frames are called after their footage: two sources of a side must not call theirs alike, or one's faces become the
other's."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path

from ...curation.faceset.fsa.rewrite import frame_counts
from ...curation.types import Side
from ..app import App
from ..errors import StageError
from ..workspace.records import sources

__all__ = ["IMPORTED", "refuse_frames_of_footage", "refuse_frames_of_imports"]

IMPORTED = "import"
"""The engine of faces that were extracted elsewhere: their frames may be called after any video."""


def refuse_frames_of_footage(app: App, side: Side, frames: Iterable[str]) -> None:
    """Raises StageError where footage that is still to be extracted will call a frame as one of `frames` is called."""
    named = sorted(frames)
    for source in sources(app.workspace, side):
        if source.faces is not None:
            continue
        path = source.path
        pictures = {item.name for item in path.iterdir()} if path.is_dir() else set()
        if clash := _in_folder(pictures, named) if path.is_dir() else _in_video(path, source.name, named):
            raise StageError(
                f"Frame {clash} will also come out of source {source.name!r}, which is not extracted yet. Nothing was "
                "copied: faces of two sources cannot share a frame. Take that source out, and bring it in under "
                f"another name: galloway source remove --side {side.value} {source.name}"
            )


def refuse_frames_of_imports(app: App, side: Side, name: str, path: Path, pictures: Collection[str]) -> None:
    """Raises StageError where frames of the video `path`, called `name` here, or of a folder with these `pictures` will
    be called as imported ones are."""
    for source in sources(app.workspace, side):
        if source.engine != IMPORTED:
            continue
        frames = sorted(frame_counts(source.path))
        if clash := _in_folder(pictures, frames) if path.is_dir() else _in_video(path, name, frames):
            raise StageError(
                f"Side {side.value} already has frame {clash}, in {source.path.name}. Nothing was copied: faces of two "
                f"sources cannot share a frame. Rename {path.name} and ingest it again."
            )


def _in_folder(pictures: Collection[str], frames: Iterable[str]) -> str | None:
    """The first of `frames` that is one of the pictures."""
    return next((frame for frame in frames if frame in pictures), None)


def _in_video(path: Path, name: str, frames: Iterable[str]) -> str | None:
    """The first of `frames` that is called as the video's are."""
    own = re.compile(rf"{re.escape(name)}_\d{{6,}}{re.escape(path.suffix.lower())}")
    return next((frame for frame in frames if own.fullmatch(frame)), None)
