"""Photographs on their way in: which there are, which can be read, what they are called, where they came from."""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ...curation.errors import VotesError
from ...curation.files import PICTURE_SUFFIXES
from ...curation.pictures import has_pages, is_animation
from ...curation.truth.formats.delimited import read_delimited
from ...curation.truth.formats.source import open_source
from ...curation.types import Progress
from ..engines.base import EngineError, spans
from ..engines.frames import load_picture
from ..errors import StageError
from ..wording import counted, noun, typed
from .names import in_order, unique_names

__all__ = ["PROVENANCE", "Photograph", "Photographs", "gather", "is_provenance", "pictures_below"]

PROVENANCE = "urls.csv"
"""A table beside photographs, as any spreadsheet saves it: `file`, and any of `source` (or `url`), `licence`, `person`,
`date`."""
_COLUMNS = {"url": "source", "license": "licence", "name": "file", "photo": "file", "picture": "file"}
_TOLD = ("source", "licence", "person", "date")


@dataclass(frozen=True, slots=True)
class Photograph:
    """One picture that comes in: where it is, its path below the folder that was given, its name here (without ending),
    and what `urls.csv` says of it."""

    path: Path
    given: str
    name: str
    told: tuple[tuple[str, str], ...] = ()

    @property
    def kept(self) -> str:
        """The file's name in the workspace. A JPEG that a browser saved as .jfif gets the ending that programs know."""
        ending = self.path.suffix.lower()
        return f"{self.name}{'.jpg' if ending == '.jfif' else ending}"

    def record(self) -> dict[str, str]:
        """For the source's record: what the file was called, what it is called here, where it came from."""
        return {"file": self.given, "as": self.kept, **dict(self.told)}


@dataclass(frozen=True, slots=True)
class Photographs:
    """What a folder holds: pictures that can be read, files that are none, and pictures that cannot be read, each with
    the reason. `notes` says what `urls.csv` leaves open, and of what only the first picture was taken."""

    files: tuple[Photograph, ...]
    others: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def digest(self) -> str:
        """SHA-256 over names and contents, in order."""
        digest = hashlib.sha256()
        for item in self.files:
            digest.update(os.fsencode(item.given))
            digest.update(hashlib.sha256(item.path.read_bytes()).digest())
        return digest.hexdigest()


def pictures_below(folder: Path) -> tuple[list[Path], list[Path]]:
    """(pictures, other files) of a folder and all folders in it, sorted; hidden ones and links to folders are passed
    over. Raises StageError for a file that is a link to somewhere else: a folder from somebody else would so bring in
    files of this machine."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
    within = folder.resolve()
    for path in found:
        if path.is_symlink() and not path.resolve().is_relative_to(within):
            raise StageError(
                f"{path} is a link that leads out of the folder; nothing of it came in. Put the file itself there, or "
                f"name what is meant: galloway ingest {typed(folder)}/*"
            )
    found.sort(key=lambda path: (path.parent != folder, path))
    pictures = [path for path in found if path.suffix.lower() in PICTURE_SUFFIXES]
    return pictures, [path for path in found if path.suffix.lower() not in PICTURE_SUFFIXES]


def is_provenance(path: Path) -> bool:
    """Whether a file is called as the table beside photographs is."""
    return path.name.lower() == PROVENANCE


def gather(
    folder: Path, prefix: str, progress: Progress, *, chosen: Sequence[Path] = (), table: Path | None = None
) -> Photographs:
    """Look at every picture of `folder`, or only those `chosen`, of which `table` tells, and name it `<prefix>_<its own
    name>`.

    Raises StageError where not one can be read.
    """
    pictures, others = (list(chosen), []) if chosen else pictures_below(folder)
    tables = [path for path in others if is_provenance(path) and path.parent == folder]
    others = [path for path in others if path not in tables]
    table = table if chosen else next(iter(tables), None)
    if not pictures:
        raise StageError(f"{folder} holds neither photographs nor videos ({', '.join(sorted(PICTURE_SUFFIXES))}).")
    called = {path: path.name if chosen else _below(folder, path) for path in pictures}
    whole, broken = _looked_at(called, progress)
    if not whole:
        raise StageError(f"Not one picture of {folder} can be read:", *broken)
    given = [called[path] for path in whole]
    told, notes = _told(table, given) if table is not None else ({}, ())
    # The source's name goes in front: faces of several folders meet in one.
    names = unique_names(in_order([str(Path(name).with_suffix("")) for name in given]), "picture")
    files = tuple(
        Photograph(path, name, f"{prefix}_{clean}", told.get(name, ()))
        for path, name, clean in zip(whole, given, names, strict=True)
    )
    notes = (*notes, *_gaps(called.values()))
    moving = [called[path] for path in whole if is_animation(path)]
    if moving:
        notes = (*notes, _of_animations(moving))
    paged = [called[path] for path in whole if has_pages(path)]
    if paged:
        only = f"Of {len(paged)} with several pages, such as {paged[0]}, only the first page was taken."
        notes = (*notes, f"{only} Save each page as a picture of its own.")
    return Photographs(files, tuple(_below(folder, path) for path in others), broken, notes)


def _gaps(names: Iterable[str]) -> Iterator[str]:
    """What is said of numbers that are not there, of names that are the same but for a number. Where more lack than are
    there, they count a camera's photographs, not a film's frames; of two or three nobody knows."""
    numbered = defaultdict(list)
    for name in names:
        if found := _NUMBERED.fullmatch(str(Path(name).with_suffix(""))):
            numbered[found[1]].append(found[2])
    for stem, given in numbered.items():
        there = {int(digits) for digits in given}
        first, last = min(there), max(there)
        if 3 < len(there) < last - first + 1 < 2 * len(there):
            lacking = sorted(set(range(first, last)) - there)
            least = min(map(len, given))
            ends = [(f"{span.first:0{least}}", f"{span.last:0{least}}") for span in spans(lacking)]
            told = [f"{stem}{one}" + (f" to {stem}{two}" if two != one else "") for one, two in ends[:_GAPS]]
            more = f" and {len(ends) - _GAPS} more places" if len(ends) > _GAPS else ""
            yield (
                f"{counted(len(lacking), 'number')} of {stem}… {noun(len(lacking), 'is', 'are')} missing: "
                f"{', '.join(told)}{more}. What comes before and after follow one another, as if nothing were there."
            )


_NUMBERED = re.compile(r"(.*?)(\d{1,18})", re.DOTALL)
_GAPS = 5


def _of_animations(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is an animation: only its first picture was taken. For all of them save it as GIF or mp4."
    return (
        f"{len(names)} are animations, such as {names[0]}: only the first picture of each was taken. "
        "For all of them save them as GIF or mp4."
    )


def _below(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _looked_at(called: Mapping[Path, str], progress: Progress) -> tuple[list[Path], tuple[str, ...]]:
    """Decode every picture: those that can be, and the reasons of the others, under the names that people know."""

    def reason(path: Path) -> str | None:
        try:
            load_picture(path)
        except EngineError as error:
            return str(error)
        return None

    whole, broken = [], []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, (path, why) in enumerate(zip(called, pool.map(reason, called), strict=True), 1):
            progress("looking at pictures", done, len(called))
            if why is None:
                whole.append(path)
            else:
                broken.append(why.replace(str(path), called[path]))
    return whole, tuple(broken)


def _told(table: Path, given: Sequence[str]) -> tuple[dict[str, tuple[tuple[str, str], ...]], tuple[str, ...]]:
    """What the table says of each picture, and notes on rows without a picture and pictures without a row."""
    twice = sorted(name for name, count in Counter(given).items() if count > 1)
    known, spelled = set(given).difference(twice), {_plain(name): name for name in given}
    said, shifted = _rows(table)
    rows = {name if name in known else spelled.get(_plain(name), name): told for name, told in said.items()}
    notes = [
        f"{table.name}: {place} has more cells than the first line and was left out; quote it." for place in shifted
    ]
    notes += [
        f"{table.name} tells of {name}, and several pictures are called so: nothing was noted of them."
        for name in twice
        if name in rows
    ]
    if strange := sorted(rows.keys() - known - set(twice)):
        notes.append(f"{table.name} has {len(strange)} rows without a picture that came in, such as {strange[0]}.")
    if silent := [name for name in given if name not in rows]:
        notes.append(f"{table.name} says nothing of {len(silent)} pictures, such as {silent[0]}.")
    return {name: row for name, row in rows.items() if name in known}, tuple(notes)


def _plain(name: str) -> str:
    """A picture's path as one spelling: Windows writes backslashes, and a Mac takes letters and their accents apart."""
    return unicodedata.normalize("NFC", name.replace("\\", "/").removeprefix("./"))


def _rows(table: Path) -> tuple[dict[str, tuple[tuple[str, str], ...]], list[str]]:
    """What each picture's row says, and the lines that do not fit the first."""
    try:
        sheet = read_delimited(open_source(table), ())
        lines = list(sheet.rows())
    except VotesError as error:
        raise StageError(f"{error} Save the table as CSV in UTF-8, or move it away.") from error
    head = [_COLUMNS.get(cell.lower(), cell.lower()) for cell in sheet.header]
    if "file" not in head:
        raise StageError(
            f"{table} has no column named file. Its first line must name the columns: file,{','.join(_TOLD)}; or move "
            "it away."
        )
    rows = (dict(zip(head, cells, strict=False)) for _, cells in lines if cells)
    said = {row["file"]: tuple((key, row[key]) for key in _TOLD if row.get(key)) for row in rows if row["file"]}
    return said, [f"{sheet.unit} {place}" for place, cells in lines if not cells]
