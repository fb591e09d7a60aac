"""Lists of faces behind the numbers: every number that links somewhere links to one of these."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ..types import FaceId
from .figures import QuestionFigures
from .inputs import Thumbnails

__all__ = ["Catalog", "FaceList", "InlinePictures", "Pictures"]


class Pictures(Protocol):
    """How a face is shown."""

    def show(self, face: FaceId, number: int, name: str) -> Markup: ...

    def css(self) -> str: ...


class InlinePictures:
    """Pictures inside the file: each JPEG once, as a CSS class, however often it is shown."""

    def __init__(self, thumbnails: Thumbnails) -> None:
        self._thumbnails = thumbnails
        self._rules: dict[int, str] = {}

    def show(self, face: FaceId, number: int, name: str) -> Markup:
        if number not in self._rules:
            jpeg = self._thumbnails(face)
            self._rules[number] = (
                f".report .p{number}{{background-image:url(data:image/jpeg;base64,{b64encode(jpeg).decode()})}}"
                if jpeg
                else ""
            )
        if not self._rules[number]:
            return Markup('<span class="pic none">{}</span>').format(name[-14:])
        return Markup('<span class="pic p{}" role="img" aria-label="{}"></span>').format(number, name)

    def css(self) -> str:
        return "\n".join(rule for rule in self._rules.values() if rule)


@dataclass(frozen=True, slots=True, eq=False)
class FaceList:
    """A drawer: `tasks` of question `question`, of which the first `shown` are drawn."""

    anchor: str
    title: str
    question: int
    tasks: NDArray[np.intp]
    shown: int


class Catalog:
    """Hands out links to lists of faces and remembers which lists and faces a page needs.

    At most `most_faces` faces get a picture and a page of their own and at most `most_listed` are drawn per list, so
    that a report on 100,000 faces still opens; lists say how many they leave out.
    """

    def __init__(
        self,
        questions: Sequence[QuestionFigures],
        pictures: Pictures,
        names: Callable[[FaceId], str],
        *,
        most_faces: int = 4000,
        most_listed: int = 200,
    ) -> None:
        self.lists: list[FaceList] = []
        self.pictures = pictures
        self._questions = questions
        self._names = names
        self._most_faces = most_faces
        self._most_listed = most_listed
        self._numbers: dict[str, int] = {}
        self._anchors: dict[tuple[int, str, bytes], str] = {}
        self._shown: dict[FaceId, Markup] = {}

    def link(self, text: object, title: str, question: int, tasks: NDArray[np.intp]) -> Markup:
        """`text` as a link to the faces behind it; plain where there are none."""
        if not len(tasks):
            return Markup("{}").format(text)
        return Markup('<a href="{}">{}</a>').format(self.anchor(title, question, tasks), text)

    def anchor(self, title: str, question: int, tasks: NDArray[np.intp]) -> str:
        """The address of the list of these faces; the same list is made once."""
        key = (question, title, np.asarray(tasks).tobytes())
        anchor = self._anchors.get(key)
        if anchor is None:
            anchor = self._anchors[key] = f"list-{len(self.lists)}"
            self.lists.append(FaceList(anchor, title, question, tasks, min(len(tasks), self._most_listed)))
        return f"#{anchor}"

    def face(self, question: int, task: int) -> Markup:
        """A face's picture, linking to its page; beyond `most_faces` its name alone."""
        face = FaceId(self._questions[question].data.votes.task_names[task])
        if face not in self._shown:
            self._shown[face] = self._show(face)
        return self._shown[face]

    def drawn(self, one: FaceList) -> tuple[list[Markup], list[str]]:
        """What a list shows: the faces that have a page, and the names of those that have none."""
        names = self._questions[one.question].data.votes.task_names
        faces: list[Markup] = []
        others: list[str] = []
        for task in one.tasks[: one.shown].tolist():
            shown = self.face(one.question, task)
            if names[task] in self._numbers:
                faces.append(shown)
            else:
                others.append(self._names(FaceId(names[task])))
        return faces, others

    def _show(self, face: FaceId) -> Markup:
        number = self._number(face)
        name = self._names(face)
        if number is None:
            return Markup('<span class="pic none">{}</span>').format(name[-14:])
        picture = self.pictures.show(face, number, name)
        return Markup('<a class="face" href="#face-{}" title="{}">{}</a>').format(number, name, picture)

    def picture(self, face: str) -> Markup:
        """The picture alone, of a face that has a page."""
        number = self._numbers[face]
        return self.pictures.show(FaceId(face), number, self._names(FaceId(face)))

    def name(self, face: str) -> str:
        return self._names(FaceId(face))

    def faces(self) -> list[tuple[int, str]]:
        """(number, face) of every face that needs a page, in order of appearance."""
        return [(number, face) for face, number in self._numbers.items()]

    def _number(self, face: FaceId) -> int | None:
        if face not in self._numbers:
            if len(self._numbers) >= self._most_faces:
                return None
            self._numbers[face] = len(self._numbers)
        return self._numbers[face]
