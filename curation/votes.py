"""Many votes as columns of small numbers: a twentieth of the memory of as many objects, and counted by numpy."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import partial
from itertools import islice
from operator import attrgetter, eq
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

from .types import FaceId, Question, Vote, VoterKind

__all__ = ["FIELDS", "Cast", "Column", "Columns", "Votes"]

FIELDS = tuple(field.name for field in fields(Vote))
"""The fields of a vote, in their order."""
_AT_ONCE = 10_000
_values = attrgetter(*FIELDS)

Rows = NDArray[np.intp]


class Column(NamedTuple):
    """One value a vote: `codes` (votes,), of the smallest unsigned type, are places in `names`, all values there are.
    A name may stand there without a vote, or twice."""

    codes: NDArray[np.unsignedinteger[Any]]
    names: tuple[Any, ...]

    def where(self, wanted: Callable[[Any], object]) -> NDArray[np.bool_]:
        """Which votes have a value that is `wanted`, which is asked once for each value: bool (votes,)."""
        found = np.fromiter((bool(wanted(name)) for name in self.names), np.bool_, len(self.names))
        return np.asarray(found[self.codes])

    def measured(self, measure: Callable[[Any], float]) -> NDArray[np.float64]:
        """A number for each vote, each value measured once: float64 (votes,)."""
        found = np.fromiter(map(measure, self.names), np.float64, len(self.names))
        return np.asarray(found[self.codes])

    def number(self, of: Mapping[Any, int]) -> NDArray[np.intp]:
        """The number of each vote's value, -1 for one that has none: intp (votes,)."""
        found = np.fromiter((of.get(name, -1) for name in self.names), np.intp, len(self.names))
        return np.asarray(found[self.codes])

    def distinct(self) -> tuple[NDArray[np.intp], int]:
        """A number for each vote, the same for equal values alone: intp (votes,), and how many numbers there may be."""
        return self.number(dict(zip(self.names, range(len(self.names)), strict=True))), max(len(self.names), 1)

    def told(self) -> list[Any]:
        """The value of each vote."""
        return list(map(self.names.__getitem__, self.codes.tolist()))


class _Coded(dict[Any, int]):
    """Each value's number, in the order in which they came."""

    def __missing__(self, value: Any) -> int:
        found = self[value] = len(self)
        return found


class Columns:
    """Votes as they come in, a column at a time: `add` some, then `votes`."""

    def __init__(self) -> None:
        self._known = [_Coded() for _ in FIELDS]
        self._codes = [array("i") for _ in FIELDS]

    def add(self, columns: Iterable[Iterable[Any]]) -> None:
        """As many values for each of the fields of a vote, in their order."""
        for known, codes, values in zip(self._known, self._codes, columns, strict=True):
            codes.extend(map(known.__getitem__, values))

    def votes(self, read: Mapping[str, Callable[[Any], Any]] | None = None) -> Votes:
        """What came in; the values of a field that `read` names are read by it, each once. Nothing is left here."""
        found = []
        for name in FIELDS:
            known, codes = self._known.pop(0), np.array(self._codes.pop(0), dtype=np.int32)
            reader = (read or {}).get(name)
            names = tuple(known) if reader is None else tuple(map(reader, known))
            found.append(Column(_small(codes, len(names)), names))
        return Votes(found)


def _small(codes: NDArray[Any], names: int) -> NDArray[np.unsignedinteger[Any]]:
    return codes.astype(np.min_scalar_type(max(names - 1, 0)))


def _seen(codes: NDArray[Any]) -> memoryview:
    """The same numbers, of which one is read three times as fast."""
    return memoryview(codes)  # type: ignore[arg-type]  # numpy's arrays are buffers; its types do not say so yet


class Votes(Sequence[Vote]):
    """Votes in an order, as `Column`s, one for each field of a vote: `votes.columns["worker_id"]`.

    A vote is an object only where one is asked for. It equals any other sequence of the same votes.
    """

    __slots__ = ("_views", "columns")

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = dict(zip(FIELDS, columns, strict=True))
        self._views = [(column.names, _seen(column.codes)) for column in columns]

    @classmethod
    def of(cls, votes: Iterable[Vote]) -> Votes:
        """The same votes; those that are columns already as they are."""
        if isinstance(votes, Votes):
            return votes
        rows, columns = iter(votes), Columns()
        while part := [_values(vote) for vote in islice(rows, _AT_ONCE)]:
            columns.add(zip(*part, strict=True))
        return columns.votes()

    def __len__(self) -> int:
        return len(self.columns["face_id"].codes)

    @overload
    def __getitem__(self, place: int) -> Vote: ...
    @overload
    def __getitem__(self, place: slice) -> Votes: ...
    def __getitem__(self, place: int | slice) -> Vote | Votes:
        if isinstance(place, slice):
            return self.at(np.arange(len(self))[place])
        return Vote(*[names[codes[place]] for names, codes in self._views])

    def __iter__(self) -> Iterator[Vote]:
        for start in range(0, len(self), _AT_ONCE):
            part = (
                map(column.names.__getitem__, column.codes[start : start + _AT_ONCE].tolist())
                for column in self.columns.values()
            )
            yield from map(Vote, *part)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(one == same for one, same in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Votes({list(self)!r})"

    def at(self, rows: Rows | NDArray[np.bool_]) -> Votes:
        """The votes at these places, or where the mask holds."""
        return Votes([Column(column.codes[rows], column.names) for column in self.columns.values()])

    def only(self, *names: str) -> list[Column]:
        """The columns of these fields."""
        return [self.columns[name] for name in names]

    def joined(self, others: Iterable[Vote]) -> Votes:
        """These votes and then the others."""
        return Votes(
            [
                Column(
                    np.concatenate(
                        [
                            _small(one.codes, both := len(one.names) + len(other.names)),
                            _small(other.codes + np.int64(len(one.names)), both),
                        ]
                    ),
                    one.names + other.names,
                )
                for one, other in zip(self.columns.values(), Votes.of(others).columns.values(), strict=True)
            ]
        )

    def where(self, **wanted: object) -> NDArray[np.bool_]:
        """Which votes have these values: bool (votes,)."""
        found = np.ones(len(self), dtype=np.bool_)
        for name, value in wanted.items():
            found &= self.columns[name].where(partial(eq, value))
        return found

    def those(self, field: str, **wanted: object) -> set[Any]:
        """The values of a field that the votes with these other values have."""
        column = self.columns[field]
        return {column.names[code] for code in np.unique(column.codes[self.where(**wanted)]).tolist()}

    def saying(self, rows: NDArray[np.bool_], **said: object) -> Votes:
        """The same votes, but where the mask holds each with these values."""
        if not rows.any():
            return self
        changed = dict(self.columns)
        for name, value in said.items():
            column = changed[name]
            codes = _small(column.codes, len(column.names) + 1)
            codes[rows] = len(column.names)
            changed[name] = Column(codes, (*column.names, value))
        return Votes(list(changed.values()))

    def renamed(self, field: str, name: Callable[[Any], Any]) -> Votes:
        """The same votes with other values of a field, each value's `name` asked once."""
        column = self.columns[field]
        changed = self.columns | {field: Column(column.codes, tuple(map(name, column.names)))}
        return Votes(list(changed.values()))

    def counted(self) -> Votes:
        """Each worker's first vote on a face and question (a second vote is not a second opinion), and each person's
        newest (a person may change their mind), in the order of the votes that are left."""
        if not len(self):
            return self
        voter = np.zeros(len(self), dtype=np.int64)
        for name in ("kind", "question", "worker_id", "face_id"):
            numbers, most = self.columns[name].distinct()
            voter = voter * most + numbers
        by_worker = self.where(kind=VoterKind.WORKER)
        first, newest = np.flatnonzero(by_worker), np.flatnonzero(~by_worker)[::-1]
        kept = [rows[np.unique(voter[rows], return_index=True)[1]] for rows in (first, newest)]
        return self if sum(map(len, kept)) == len(self) else self.at(np.sort(np.concatenate(kept)))


class Cast(Mapping[tuple[FaceId, Question], Sequence[Vote]]):
    """Who said what of a face on a question: (face, question) → its votes, in the order of `votes`."""

    def __init__(self, votes: Iterable[Vote]) -> None:
        self._votes = Votes.of(votes)
        face, question = self._votes.columns["face_id"], self._votes.columns["question"]
        self._place = {name: code for code, name in enumerate(face.names)}
        self._number = {name: code for code, name in enumerate(Question)}
        pairs = face.number(self._place) * len(self._number) + question.number(self._number)
        self._rows = _seen(np.argsort(pairs, kind="stable").astype(np.int32))
        ends = np.cumsum(np.bincount(pairs, minlength=len(face.names) * len(self._number)))
        self._starts = _seen(np.concatenate([np.zeros(1, dtype=np.int64), ends]).astype(np.int32))

    def of(self, face: FaceId, question: Question) -> Sequence[Vote]:
        """The votes on a face and question; none where nobody voted."""
        place = self._place.get(face)
        if place is None:
            return ()
        pair = place * len(self._number) + self._number[question]
        votes = self._votes
        return [votes[row] for row in self._rows[self._starts[pair] : self._starts[pair + 1]]]

    def __getitem__(self, pair: tuple[FaceId, Question]) -> Sequence[Vote]:
        found = self.of(*pair)
        if not found:
            raise KeyError(pair)
        return found

    def __iter__(self) -> Iterator[tuple[FaceId, Question]]:
        pairs = ((face, question) for face in self._place for question in self._number)
        return (pair for pair in pairs if self.of(*pair))

    def __len__(self) -> int:
        return sum(1 for _ in self)
