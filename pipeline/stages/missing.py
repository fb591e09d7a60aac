"""What the rows name and the folder lacks: footage and face pictures, found by looking at names alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ...curation.faceset.merging.transaction import pending
from ...curation.listing import count_statuses
from ...curation.types import Side
from ..app import App
from ..wording import counted, noun
from ..workspace.bucket.record import kept
from ..workspace.records import Source, sources

__all__ = ["Missing", "is_there", "missing"]

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that is not here: `what` ("footage", "faces"), `text` names it, `remedy` brings it back."""

    what: str
    text: str
    remedy: str

    def line(self) -> str:
        return f"{self.text}. Bring back: {self.remedy}"


def missing(app: App) -> tuple[Missing, ...]:
    """What of each side's footage and standing faces is not in the folder. Faces that lie in a bucket, and those of a
    merge that was stopped half way, may rightly be elsewhere and are not counted."""
    found = []
    elsewhere = bool(app.settings.faces.s3_bucket) or kept(app.workspace.root) is not None
    standing = count_statuses(app.workspace.db, standing=True)
    for side in Side:
        gone = [item for item in sources(app.workspace, side) if item.kind != "faces" and not is_there(item)]
        if gone:
            found.append(_footage(app, side, gone))
        wanted, there = sum(standing[side].values()), _pictures(app.workspace.faces_dir(side))
        if there < wanted and not elsewhere and not pending(app.faceset_paths(side)):
            found.append(
                Missing(
                    "faces",
                    f"side {side.value}: {wanted - there} of {counted(wanted, 'face picture')} "
                    f"{noun(wanted - there, 'is', 'are')} missing in facesets/{side.value}/faces/",
                    f"copy that folder out of a backup (galloway restore BACKUP NEW); which ones: galloway faceset "
                    f"verify --side {side.value}",
                )
            )
    return tuple(found)


def is_there(source: Source) -> bool:
    """Whether footage lies in the folder, by its name alone."""
    if source.path.is_dir():
        with os.scandir(source.path) as entries:
            return any(True for _ in entries)
    return source.path.is_file()


def _footage(app: App, side: Side, gone: list[Source]) -> Missing:
    names = ", ".join(app.workspace.relative(item.path) for item in gone[:_NAMED])
    more = f" and {len(gone) - _NAMED} more" if len(gone) > _NAMED else ""
    given = "VIDEO" if all(item.kind == "video" for item in gone) else "FILES"
    return Missing(
        "footage",
        f"side {side.value}: the footage {names}{more} is missing",
        f"give the same again, galloway ingest --side {side.value} {given}",
    )


def _pictures(folder: Path) -> int:
    try:
        with os.scandir(folder) as entries:
            return sum(entry.name.endswith(".png") and not entry.name.startswith(".") for entry in entries)
    except FileNotFoundError:
        return 0
