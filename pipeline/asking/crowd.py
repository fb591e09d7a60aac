"""Who is in the footage beside the right person, before anybody is paid to look at them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...curation.screen.identity import PersonGroup
from ...curation.types import Face, FaceId, Side
from ..wording import counted

__all__ = ["Crowd", "PersonFound", "persons_found"]

_NOBODY, _SURE = 0.05, 0.95
"""Below and from which chance a photograph shows nobody who is here, and surely somebody."""
_TOLD = 3
_ASKED_FIRST = 3


@dataclass(frozen=True, slots=True)
class PersonFound:
    """One person among the clear faces: the number on the `--persons` picture, how many faces, their median size in
    pixels and the smallest, how many by source, and their share of the side's faces, which is their share of a first
    round's votes. `by_photograph` is the chance that it is the person who is wanted, None without a photograph;
    `by_people` the same by faces of which people said that they are."""

    number: int
    faces: int
    size: int
    sources: dict[str, int]
    share: float
    members: tuple[FaceId, ...] = ()
    smallest: int = 0
    by_photograph: float | None = None
    by_people: float | None = None

    @property
    def fits(self) -> float | None:
        """The chance that it is the person who is wanted, None where nothing tells."""
        return max((chance for chance in (self.by_photograph, self.by_people) if chance is not None), default=None)

    def __str__(self) -> str:
        """For people, in a line."""
        clear, percent = counted(self.faces, "clear face"), f"{self.share:.0%}" if self.share >= 0.005 else "under 1%"
        return f"person {self.number}: {clear} of {self.size} pixels, {percent} ({self.where}){self.likeness}"

    @property
    def where(self) -> str:
        """How many of the faces each source has, of three sources at most: `clip 20, party 3, …`."""
        told = [f"{name} {count}" for name, count in list(self.sources.items())[:_TOLD]]
        return ", ".join([*told, *["…"] * (len(self.sources) > _TOLD)])

    @property
    def likeness(self) -> str:
        """Whether it is the person who is wanted, where that is known, as the end of a sentence."""
        if self.fits is None:
            return ""
        if self.fits >= _SURE:
            return ", looks like the right person"
        return ", looks like somebody else" if self.fits <= _NOBODY else ", perhaps the right person"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is on a side. `unclear` are the faces too blurred, dark or small to tell who they are, with their sizes;
    `sizes` those of all faces."""

    side: Side
    faces: int
    persons: tuple[PersonFound, ...]
    unclear: dict[FaceId, int] = field(default_factory=dict)
    sizes: tuple[int, ...] = ()

    @property
    def fits(self) -> float | None:
        """The chance that the photograph shows somebody who is here; None without a photograph or a clear face."""
        return max((person.fits for person in self.persons if person.fits is not None), default=None)

    @property
    def fits_nobody(self) -> bool:
        return self.fits is not None and self.fits <= _NOBODY

    @property
    def others(self) -> tuple[PersonFound, ...]:
        """Those who look like somebody else than the photograph's person, or people's word."""
        return tuple(person for person in self.persons if person.fits is not None and person.fits <= _NOBODY)

    @property
    def misfit(self) -> str:
        """What to say, and do, where the photograph fits nobody."""
        return (
            f"Side {self.side.value}: nobody here looks like the photograph. Add another one (galloway ingest --side "
            f"{self.side.value} --reference PHOTO), or say who it is: galloway screen --side {self.side.value} "
            "--this-is NUMBER"
        )

    @property
    def in_doubt(self) -> tuple[FaceId, ...]:
        """The most central face of at most three persons, the largest and likeliest first, where it is not sure which
        of them the photograph shows; empty where one of them surely is. Three answers about each settle it."""
        if self.fits is None or self.fits >= _SURE:
            return ()
        likely = [person for person in self.persons if (person.fits or 0.0) > _NOBODY] or list(self.persons)
        likely.sort(key=lambda person: (-person.faces, person.number))
        return tuple(person.members[0] for person in likely[:_ASKED_FIRST])

    def below(self, pixels: int) -> int:
        """How many faces are smaller than that: so many go when those below are left out."""
        return sum(size < pixels for size in self.sizes)

    @property
    def spectators_below(self) -> int:
        """A size below which as many of the unclear faces as half of them are, and no clear face of anybody who may be
        the one who is wanted; 0 where no unclear face is so small."""
        others = {person.number for person in self.others}
        wanted = [person.smallest for person in self.persons if person.number not in others]
        pixels = min([self.half_below, *wanted])
        return pixels if any(size < pixels for size in self.unclear.values()) else 0

    @property
    def half_below(self) -> int:
        """So many pixels have half of the unclear faces less than."""
        return sorted(self.unclear.values())[len(self.unclear) // 2] + 1 if self.unclear else 0

    def steps(self) -> list[int]:
        """A few sizes, in tens of pixels, between which the unclear faces lie."""
        sizes = sorted(self.unclear.values())
        return sorted({10 * (sizes[len(sizes) * part // 4] // 10 + 1) for part in (1, 2, 3)}) if sizes else []

    def some_unclear(self, count: int) -> list[FaceId]:
        """A few of the unclear faces, of all sizes."""
        ordered = sorted(self.unclear, key=lambda face: (self.unclear[face], face))
        return [ordered[len(ordered) * part // count] for part in range(min(count, len(ordered)))]

    def lines(self) -> list[str]:
        """What is to be known before a round is paid, for people; empty where nobody but the person is here."""
        name = f"Side {self.side.value}"
        told = [self.misfit] if self.fits_nobody else []
        if self.persons and self.fits is None:
            told.append(
                f"{name} has no photograph of the person. Say who it is: galloway screen --side {self.side.value} "
                "--this-is NUMBER"
            )
        others = len(self.persons) > 1 or 2 * len(self.unclear) > self.faces or bool(told)
        if not others:
            return told
        told += [f"{name}, {person}" for person in self.persons[:_TOLD]]
        if len(self.persons) > _TOLD:
            rest = sum(person.faces for person in self.persons[_TOLD:])
            told.append(f"{name}: {counted(rest, 'clear face')} of {len(self.persons) - _TOLD} more persons")
        if self.unclear:
            sizes = sorted(self.unclear.values())
            told.append(
                f"{name}: {counted(len(sizes), 'face')} too blurred, dark or small to tell who it is, {sizes[0]} to "
                f"{sizes[-1]} pixels, half of them below {self.half_below}"
            )
        left_out = f"galloway screen --side {self.side.value}"
        told.append(f"Not to ask about somebody: {left_out} --leave-out NUMBER")
        if pixels := self.spectators_below:
            told.append(
                f"Not to ask about {counted(self.below(pixels), 'face')} below {pixels} pixels: {left_out} "
                f"--leave-out-below {pixels}"
            )
        return told


def persons_found(
    groups: Sequence[PersonGroup], faces: Sequence[Face], fits: Sequence[float | None] = ()
) -> tuple[PersonFound, ...]:
    """The persons in the order of `groups`, whose members are places in `faces`; `fits` says of each how likely it is
    the person who is wanted."""
    known = [*fits, *[None] * (len(groups) - len(fits))]
    return tuple(
        _person(number, [faces[i] for i in group.members], len(faces), known[number - 1])
        for number, group in enumerate(groups, 1)
    )


def _person(number: int, faces: Sequence[Face], of: int, fits: float | None) -> PersonFound:
    sizes = sorted(min(face.box[2:]) for face in faces)
    sources = dict(Counter(face.source for face in faces).most_common())
    ids = tuple(face.face_id for face in faces)
    return PersonFound(number, len(faces), sizes[len(sizes) // 2], sources, len(faces) / of, ids, sizes[0], fits)
