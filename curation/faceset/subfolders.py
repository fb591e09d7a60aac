"""Faces that somebody sorted into folders below their folder: they are set aside, not deleted."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from ..errors import FacesetError
from ..files import is_temporary
from ..plain import typed
from .index import FaceIndex, places_of
from .png.source import read_places

__all__ = ["faces_below", "folders_of_faces", "move_up", "refuse_sorted", "sorted_away"]

_BY_A_JOB = re.compile(r"_\d{8}_\d{6}$")
"""How the folders end into which `--output move` and faceswap's own jobs move pictures: those are out on purpose."""


def folders_of_faces(folder: Path) -> Iterator[Path]:
    """`folder` and the folders below it, in order; links, hidden ones and what a job moved away are passed over."""
    for place, folders, _ in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not _BY_A_JOB.search(name))
        yield Path(place)


def faces_below(folder: Path) -> tuple[str, ...]:
    """PNGs in the folders below `folder`, as `good/clip_000001_0.png`, by name."""
    found = [
        path.relative_to(folder).as_posix()
        for place in folders_of_faces(folder)
        if place != folder
        for path in place.iterdir()
        if path.suffix.lower() == ".png"
        and not path.name.startswith(".")
        and not is_temporary(path.name)
        and path.is_file()
        and not path.is_symlink()
    ]
    return tuple(sorted(found))


def sorted_away(index: FaceIndex) -> tuple[str, ...]:
    """Those of `faces_below` that are faces of the alignments without a PNG in the folder itself."""
    names = faces_below(index.paths.faces_dir)
    if not names:
        return ()
    present = {(face.frame, face.index) for face in index.faces.values()}
    counts = places_of(index)
    places = read_places(index.paths.faces_dir, names)
    return tuple(
        name
        for name, place in zip(names, places, strict=True)
        if not isinstance(place, FacesetError) and place not in present and place[1] < counts.get(place[0], 0)
    )


def move_up(folder: Path) -> str:
    """The command that puts what is below `folder` back into it; it overwrites nothing."""
    there = typed(folder)
    return f"put them back up: find {there} -mindepth 2 -name '*.png' -exec mv -n {{}} {there} \\;"


def refuse_sorted(index: FaceIndex) -> None:
    """Raises FacesetError where faces lie in sub-folders that would count as deleted."""
    names = sorted_away(index)
    if names:
        folder = index.paths.faces_dir
        raise FacesetError(
            f"{len(names):,} faces of {folder} lie in folders below it, such as {names[0]}; they would count as "
            "deleted. Nothing was changed. Move their folders away if they do not belong to the set, or "
            f"{move_up(folder)}"
        )
