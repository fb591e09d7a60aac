"""The films that convert wrote, and what lies beside each of them.

All of it is called after the film's whole name, its ending included: `clip.mp4` and `clip.mov` share nothing. Earlier
releases left the ending out; what they wrote is still read where it can be of one film only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path

from ...curation.files import picture_files

__all__ = ["FILM_SUFFIXES", "Beside", "file_digest", "films_in", "found_beside", "written_beside"]

FILM_SUFFIXES = (".mp4", ".mov", ".mkv")
"""Endings of films; a result without an ending is a folder of pictures."""
_RECORD, _SIDE_BY_SIDE, _SHEET = ".json", "-side-by-side.mp4", "-preview.png"


@dataclass(frozen=True, slots=True)
class Beside:
    """What lies beside a film: its `record`, the film and its source in one picture, frames before and after."""

    record: Path
    side_by_side: Path
    sheet: Path

    def remains(self, film: Path) -> list[Path]:
        """Those that another film, made in this one's place, does not write over."""
        return [path for path in astuple(self) if path not in astuple(written_beside(film))]


def written_beside(film: Path) -> Beside:
    """Where convert writes it."""
    return _beside(lambda ending: film.with_name(f"{film.name}{ending}"))


def found_beside(film: Path) -> Beside:
    """The same where it was written by whichever release."""
    alone = _alone(film)

    def found(ending: str) -> Path:
        own, old = (film.with_name(f"{name}{ending}") for name in (film.name, film.stem))
        return old if alone and old.is_file() and not own.exists() else own

    return _beside(found)


def file_digest(made: Path) -> str:
    """SHA-256 of a video; of a folder of pictures over all of them, in order."""
    digest = hashlib.sha256()
    for path in picture_files(made) if made.is_dir() else [made]:
        with path.open("rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()


def films_in(folder: Path) -> list[Path]:
    """The films of a folder, and its folders of pictures that have a record, by name."""
    return sorted(path for path in folder.glob("*") if _is_film(path))


def _beside(called: Callable[[str], Path]) -> Beside:
    return Beside(called(_RECORD), called(_SIDE_BY_SIDE), called(_SHEET))


def _is_film(path: Path) -> bool:
    if path.is_dir():
        return written_beside(path).record.is_file()
    return path.suffix.lower() in FILM_SUFFIXES and not path.name.endswith(_SIDE_BY_SIDE)


def _alone(film: Path) -> bool:
    """Whether what is called after the stem can be of no other film."""
    others = [film.with_suffix(suffix) for suffix in ("", *FILM_SUFFIXES) if suffix != film.suffix]
    return not any(
        other.is_dir() or (other.exists() and not written_beside(other).record.is_file()) for other in others
    )
