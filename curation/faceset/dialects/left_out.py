"""What an import could not bring along, noted beside the faces: it is still said when the set is verified or its card
is made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ...errors import FacesetError, FormatError, UnsafeFile
from ...files import read_bounded, write_atomic
from .dfl import dfl_face

__all__ = ["XsegLeft", "forget_left_out", "note_left_out", "read_left_out", "xseg_in"]

FILE = ".left-out.json"
FORMAT = "galloway-left-out/1"
_BYTES, _PICTURE_BYTES = 1 << 20, 64 << 20


@dataclass(frozen=True, slots=True)
class XsegLeft:
    """How many XSeg `masks` and sets of `polygons` the set of faces `source` had in DeepFaceLab's pictures, which lay
    in the folder or file `kept_in`."""

    source: str
    masks: int
    polygons: int
    kept_in: str

    @property
    def counted(self) -> str:
        """Both in words."""
        sets = f"{self.polygons} set{'s' * (self.polygons != 1)} of XSeg polygons"
        return f"{self.masks} XSeg mask{'s' * (self.masks != 1)} and {sets}"

    @property
    def sentence(self) -> str:
        """What is not there, for people."""
        return (
            f"{self.source}: {self.counted} of DeepFaceLab are not in these faces, for faceswap has no place for them; "
            f"they are in the pictures of {self.kept_in}."
        )


def note_left_out(folder: Path, items: Sequence[XsegLeft]) -> None:
    """Note what was left out of the faces in `folder`; a set of that name that was noted before gives way."""
    new = {item.source: item for item in (*read_left_out(folder), *items)}
    _write(folder, list(new.values()))


def forget_left_out(folder: Path, source: str) -> None:
    """Take a set's note away, where there is one."""
    found = read_left_out(folder)
    kept = [item for item in found if item.source != source]
    if len(kept) < len(found):
        _write(folder, kept)


def _write(folder: Path, items: Sequence[XsegLeft]) -> None:
    if not items:
        (folder / FILE).unlink(missing_ok=True)
        return
    values = {"format": FORMAT, "xseg": [asdict(item) for item in items]}
    write_atomic(folder / FILE, json.dumps(values, indent=1, ensure_ascii=False) + "\n")


def read_left_out(folder: Path) -> tuple[XsegLeft, ...]:
    """What was noted, nothing where no note is. Raises FormatError for one that is damaged."""
    path = folder / FILE
    if not path.is_file():
        return ()
    try:
        values = json.loads(read_bounded(path, _BYTES))
        if values["format"] != FORMAT:
            raise ValueError("it is of another kind")
        return tuple(
            XsegLeft(str(row["source"]), int(row["masks"]), int(row["polygons"]), str(row["kept_in"]))
            for row in values["xseg"]
        )
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise FormatError(f"{path} is damaged ({error}). Delete it; the faces are whole without it.") from error


def xseg_in(folder: Path, names: Sequence[str]) -> tuple[list[str], XsegLeft]:
    """Which of these pictures are DeepFaceLab's, and what XSeg left in them; those that cannot be read are passed
    over."""
    own, masks, polygons = [], 0, 0
    for name in names:
        try:
            face = dfl_face(read_bounded(folder / name, _PICTURE_BYTES), name)
        except (FacesetError, UnsafeFile):
            continue
        if face is not None:
            own.append(name)
            masks, polygons = masks + face.mask, polygons + face.polygons
    return own, XsegLeft(folder.name, masks, polygons, folder.name)
