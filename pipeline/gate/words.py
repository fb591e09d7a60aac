"""What a requester says of pictures: which there are to speak of, and what was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ...curation.files import picture_files
from ...curation.types import Side
from ..app import App
from ..asking.overrule import find_face
from ..errors import NothingToDo, StageError
from ..market.media import file_key
from ..market.pictures import clear_bytes, picture_id, reference_files, reference_key
from ..market.veil import blurred
from ..workspace.acts import note_act
from ..workspace.gated import Gated, Known, Ruling, Word, gated, say_word

__all__ = ["Spoken", "held", "listed", "picture_bytes", "say_of"]

_ORDER = (Ruling.HELD, Ruling.WARN, Ruling.KEEP_OUT, Ruling.SHOW)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A picture with what becomes of it, and what people call it."""

    about: Gated
    ruling: Ruling
    called: str


def listed(app: App) -> list[Spoken]:
    """The pictures that are held, and those of which something was said: the held ones first, the likeliest first."""
    found = []
    for about in gated(app.workspace).values():
        ruling = about.ruling(app.settings.gate)
        if ruling is not Ruling.SHOW or about.word is not None:
            found.append(Spoken(about, ruling, about.name or f"face {about.id[:10]}"))
    return sorted(found, key=lambda item: (_ORDER.index(item.ruling), -(item.about.score or 0.0), item.about.id))


def held(app: App) -> int:
    """How many pictures wait for a word."""
    return sum(about.ruling(app.settings.gate) is Ruling.HELD for about in gated(app.workspace).values())


def picture_bytes(app: App, picture: str, *, clear: bool) -> bytes | None:
    """What a picture of the list shows, for the requester's eyes: a blurred JPEG, or what it is; None where it is
    gone."""
    keys = [
        key
        for side in Side
        for path in reference_files(app.workspace, side)
        if picture_id(app.workspace, key := reference_key(side, path.name)) == picture
    ]
    body = clear_bytes(app.workspace, app.store, keys[0] if keys else picture)
    return body if body is None or clear else blurred(body)


def say_of(app: App, named: Sequence[str], word: Word, *, all_held: bool = False) -> int:
    """Say `word` of pictures: ids or names of faces, ids as they are listed, files, or folders of files; with
    `all_held` of everything that is held. How many they are.

    Raises StageError for what names no picture, NothingToDo where nothing is held.
    """
    chosen: dict[str, Known] = {}
    for text in named:
        chosen |= _named(app, text)
    if all_held:
        waiting = [item.about for item in listed(app) if item.ruling is Ruling.HELD]
        if not waiting and not chosen:
            raise NothingToDo("No picture is held back.")
        chosen |= {about.id: Known(about.name, about.kind) for about in waiting}
    say_word(app.workspace, chosen, word)
    note_act(app.workspace, "pictures", word.value, f"{len(chosen)} pictures")
    return len(chosen)


def _named(app: App, text: str) -> dict[str, Known]:
    known = [about for key, about in gated(app.workspace).items() if len(text) >= 8 and key.startswith(text)]
    if len(known) == 1:
        return {known[0].id: Known(known[0].name, known[0].kind)}
    path = Path(text)
    if path.is_dir():
        found = {file_key(file): Known(file.name, "picture") for file in picture_files(path)}
        if not found:
            raise StageError(f"{text} has no pictures in it.")
        return found
    if path.is_file():
        return {_id_of(app, path): Known(path.name, "picture")}
    return {find_face(app, text).face_id: Known("", "face")}


def _id_of(app: App, path: Path) -> str:
    """Of a file: a reference photograph or a face of the workspace, else what a page would show of it."""
    for side in Side:
        if path.resolve() in [one.resolve() for one in reference_files(app.workspace, side)]:
            return picture_id(app.workspace, reference_key(side, path.name))
        if path.resolve().parent == app.workspace.faces_dir(side).resolve():
            return find_face(app, path.name).face_id
    return file_key(path)
