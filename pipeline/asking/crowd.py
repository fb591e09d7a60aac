"""Who is in the footage beside the right person, before anybody is paid to look at them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ...curation.screen.identity import PersonGroup
from ...curation.types import Face, FaceId

__all__ = ["PersonFound", "persons_found"]


@dataclass(frozen=True, slots=True)
class PersonFound:
    """One person among the clear faces: the number on the `--persons` picture, how many faces, their median size in
    pixels, how many by source, and their share of the side's faces, which is their share of a first round's votes."""

    number: int
    faces: int
    size: int
    sources: dict[str, int]
    share: float
    members: tuple[FaceId, ...] = ()

    def __str__(self) -> str:
        """For people, in a line."""
        where = ", ".join(f"{name} {count}" for name, count in list(self.sources.items())[:3])
        more = f" and {len(self.sources) - 3} more" if len(self.sources) > 3 else ""
        return f"person {self.number}: {self.faces} clear faces of {self.size} pixels, {self.share:.0%} ({where}{more})"


def persons_found(groups: Sequence[PersonGroup], faces: Sequence[Face]) -> tuple[PersonFound, ...]:
    """The persons in the order of `groups`, whose members are places in `faces`."""
    return tuple(
        _person(number, [faces[i] for i in group.members], len(faces)) for number, group in enumerate(groups, 1)
    )


def _person(number: int, faces: Sequence[Face], of: int) -> PersonFound:
    sizes = sorted(min(face.box[2:]) for face in faces)
    sources = dict(Counter(face.source for face in faces).most_common())
    ids = tuple(face.face_id for face in faces)
    return PersonFound(number, len(faces), sizes[len(sizes) // 2], sources, len(faces) / of, ids)
