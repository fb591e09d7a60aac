"""Faces that were extracted in a folder of their own come in, and those that they replace go."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection
from pathlib import Path

from ...curation.errors import UnsafeFile
from ...curation.files import check_name, replacing, write_atomic
from .base import EngineError

__all__ = ["bring_in", "noted_names", "place"]


def bring_in(made: Path, faces_dir: Path, former: Collection[str], note: Path) -> tuple[str, ...]:
    """Put the PNGs of `made` into `faces_dir` and remove the `former` that are not among them; their names, sorted.

    `note` keeps what is coming in, so that a run that was killed here knows its own when it does the same again.
    Raises EngineError, before anything is changed, where a file that no extraction made has one of the names.
    """
    names = tuple(sorted(path.name for path in made.glob("*.png")))
    own = {*former, *noted_names(note)}
    strange = [name for name in names if name not in own and (faces_dir / name).exists()]
    if strange:
        raise EngineError(
            f"{faces_dir / strange[0]} has the name of a face that comes in, and no extraction of this source made it "
            f"({len(strange)} such files). Nothing was changed. Move it away, then run the same command again."
        )
    faces_dir.mkdir(parents=True, exist_ok=True)
    write_atomic(note, json.dumps(sorted(own.union(names))))
    for name in names:
        place(made / name, faces_dir / name)
    for name in own.difference(names):
        (faces_dir / name).unlink(missing_ok=True)
    return names


def noted_names(note: Path) -> list[str]:
    """The names that a `note` of `bring_in` holds; none where there is none."""
    try:
        return [check_name(name, where=note.name) for name in json.loads(note.read_bytes())]
    except (OSError, ValueError, TypeError, RecursionError, UnsafeFile):
        return []


def place(made: Path, target: Path) -> None:
    """Put a copy beside the target and rename it over; `made` stays until all are in place."""
    with replacing(target, durable=False) as partial:
        try:
            os.link(made, partial)
        except OSError:
            shutil.copyfile(made, partial)
