"""Which number a frame has: every frame of footage counts from 1, by its place."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from ...curation.files import picture_files

__all__ = ["numbers_of"]


def numbers_of(names: Collection[str], source: Path) -> dict[str, int]:
    """The numbers of those of these frames that the source has, by name, in its order.

    A picture of a folder has its place among the folder's pictures, whatever number its name may hold: a film made of
    them counts so. A video's frame is named by its number, `<stem>_%06d.<ending>`.
    """
    if source.is_dir():
        return {path.name: place for place, path in enumerate(picture_files(source), start=1) if path.name in names}
    named = re.compile(rf"{re.escape(source.stem)}_(\d{{6,}})\.[^.]+")
    found = {name: int(match[1]) for name in names if (match := named.fullmatch(name))}
    return dict(sorted(found.items(), key=lambda item: item[1]))
