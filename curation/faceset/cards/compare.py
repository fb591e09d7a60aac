"""What is different between two facesets, or two merges, for people who have no dataset cards.

Two folders are compared by face id (source frame and decoded pixels), so that names and places may differ; two merges
by what they took out, from their manifests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import FacesetError
from ...plain import lines as as_text
from ...types import Progress, Side, no_progress
from ..merging.transaction import Manifest
from ..png.headers import read_png
from ..png.identity import face_id
from .card import Card

__all__ = ["FacesetDiff", "Listing", "MergeDiff", "diff_listings", "diff_merges", "list_card", "list_folder"]

_SAME_PIXELS = 0.01
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class ListedFace:
    """One face as it lies in a folder; a card knows only its name."""

    name: str
    place: int | None = None
    landmarks: Any = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The faces of one faceset by id. `unusable` PNGs are left out; `copies` are further PNGs of a face listed."""

    name: str
    faces: Mapping[str, ListedFace]
    unusable: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FacesetDiff:
    """From `old` to `new`: names of faces that came and went, (old, new) names of renamed ones; faces whose place in
    their frame, or whose landmarks, are others now; and what could not be compared."""

    old: str
    new: str
    faces: tuple[int, int]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...]
    renumbered: tuple[str, ...]
    realigned: tuple[str, ...]
    unusable: tuple[str, ...]
    copies: tuple[str, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both hold the same faces, at the same places, under the same names."""
        return not (self.added or self.removed or self.renamed or self.renumbered or self.realigned)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"kind": "facesets", **asdict(self), "same": self.is_empty}

    def to_text(self) -> str:
        """For the terminal."""
        head = f"{self.old} ({self.faces[0]:,} faces) → {self.new} ({self.faces[1]:,} faces)"
        rows = [
            ("added", self.added),
            ("removed", self.removed),
            ("renamed", [f"{before} → {after}" for before, after in self.renamed]),
            ("at another place in their frame", self.renumbered),
            ("with other landmarks", self.realigned),
            ("PNGs that cannot be used, left out", self.unusable),
            ("further copies of a face, left out", self.copies),
        ]
        lines = [line for what, names in rows if names for line in _named(what, names)]
        return as_text([head, *(["  the same faces"] if self.is_empty else []), *lines])


def _named(what: str, names: Sequence[str]) -> list[str]:
    more = [f"      … and {len(names) - _SHOWN:,} more (all with --json)"] if len(names) > _SHOWN else []
    return [f"  {len(names):,} {what}", *(f"      {name}" for name in names[:_SHOWN]), *more]


def list_folder(folder: Path, side: Side, progress: Progress = no_progress) -> Listing:
    """The faces of a folder of PNGs, every one decoded. `side` is part of the ids: compare like with like.

    Raises FacesetError where the folder cannot be read or holds no face.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png")
    except OSError as error:
        raise FacesetError(f"{folder} cannot be read: {error.strerror}. Name a folder of face PNGs.") from error
    faces: dict[str, ListedFace] = {}
    unusable: list[str] = []
    copies: list[str] = []
    for done, path in enumerate(paths):
        if done % 100 == 0:
            progress(f"reading {folder.name}", done, len(paths))
        try:
            header, pixels = read_png(path)
        except FacesetError:
            unusable.append(path.name)
            continue
        key = face_id(side, header, pixels)
        if key in faces:
            copies.append(path.name)
        else:
            faces[key] = ListedFace(path.name, header.source.face_index, header.alignment.landmarks)
    if not faces:
        raise FacesetError(f"{folder} holds no face PNG with faceswap's header. Import it: galloway faceset import")
    return Listing(str(folder), faces, tuple(unusable), tuple(copies))


def list_card(card: Card) -> Listing:
    """What a card knows of its faces: ids and names."""
    return Listing(card.id, {key: ListedFace(name) for key, name in card.faces.items()})


def diff_listings(old: Listing, new: Listing) -> FacesetDiff:
    """Compare by face id. Places and landmarks are compared where both sides know them."""
    pairs = [(old.faces[key], new.faces[key]) for key in old.faces if key in new.faces]
    return FacesetDiff(
        old=old.name,
        new=new.name,
        faces=(len(old.faces), len(new.faces)),
        added=_only(new, old),
        removed=_only(old, new),
        renamed=tuple(sorted((one.name, other.name) for one, other in pairs if one.name != other.name)),
        renumbered=tuple(sorted(other.name for one, other in pairs if _differ(one.place, other.place))),
        realigned=tuple(sorted(other.name for one, other in pairs if _moved(one.landmarks, other.landmarks))),
        unusable=old.unusable + new.unusable,
        copies=old.copies + new.copies,
    )


def _only(one: Listing, other: Listing) -> tuple[str, ...]:
    return tuple(sorted(face.name for key, face in one.faces.items() if key not in other.faces))


def _differ(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one != other


def _moved(one: Any, other: Any) -> bool:
    if one is None or other is None:
        return False
    return one.shape != other.shape or bool(np.abs(one - other).max(initial=0) > _SAME_PIXELS)


@dataclass(frozen=True, slots=True)
class MergeDiff:
    """Two merges. `relation` is "next" where `new` began with what `old` left, "same start" where both began with the
    same faceset, else "unrelated". Faces are (name, reason)."""

    old: str
    new: str
    relation: str
    states: tuple[str, str]
    kept: tuple[int, int]
    both: int
    only_old: tuple[tuple[str, str], ...]
    only_new: tuple[tuple[str, str], ...]
    other_reason: tuple[tuple[str, str, str], ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"kind": "merges", **asdict(self)}

    def to_text(self) -> str:
        """For the terminal."""
        kin = {
            "next": f"{self.new} went on from what {self.old} left",
            "same start": "both began with the same faces",
        }.get(self.relation, "neither began with what the other did or left")
        lines = [f"merge {self.old} ({self.states[0]}) → merge {self.new} ({self.states[1]}): {kin}"]
        lines.append(f"  kept {self.kept[0]:,} → {self.kept[1]:,}; {self.both:,} faces are taken out by both")
        for merge_id, rows in ((self.old, self.only_old), (self.new, self.only_new)):
            if rows:
                counts = Counter(reason for _, reason in rows)
                reasons = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in sorted(counts.items()))
                lines += _named(f"taken out only by {merge_id} ({reasons})", [name for name, _ in rows])
        if self.other_reason:
            named = [f"{name}: {before} → {after}" for name, before, after in self.other_reason]
            lines += _named("for another reason", named)
        return as_text(lines)


def diff_merges(old: Manifest, new: Manifest) -> MergeDiff:
    """Compare two manifests. Faces without an id (of `remove-faces`) are compared by frame and place."""
    before, after = _removed(old), _removed(new)
    relation = "unrelated"
    if old["digest_after"] is not None and old["digest_after"] == new["digest_before"]:
        relation = "next"
    elif old["digest_before"] is not None and old["digest_before"] == new["digest_before"]:
        relation = "same start"
    shared = before.keys() & after.keys()
    changed = ((before[key][0], before[key][1], after[key][1]) for key in shared if before[key][1] != after[key][1])
    return MergeDiff(
        old=str(old["merge_id"]),
        new=str(new["merge_id"]),
        relation=relation,
        states=(str(old["state"]), str(new["state"])),
        kept=(int(old["counts"]["kept"]), int(new["counts"]["kept"])),
        both=len(shared),
        only_old=tuple(sorted(before[key] for key in before.keys() - shared)),
        only_new=tuple(sorted(after[key] for key in after.keys() - shared)),
        other_reason=tuple(sorted(changed)),
    )


def _removed(manifest: Manifest) -> dict[str, tuple[str, str]]:
    """Key → (name, reason) of every face that a merge took out of folder or alignments."""
    rows = {
        str(row["face_id"] or row["name"]): (str(row["name"]), str(row["reason"] or "no reason given"))
        for row in manifest["removals"]
    }
    named = {(row["frame"], row["index"]) for row in manifest["removals"]}
    for file in manifest["rewrites"]:
        for frame, places in file["removed"].items():
            for place in places:
                if (frame, place) not in named:
                    rows[f"{frame}#{place}"] = (f"{frame}, face {place}", "its picture was gone")
    return rows
