"""Looking at pictures before workers do: once each, by what they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from ...curation.errors import FacesetError
from ...curation.pictures import open_picture
from ...curation.screen.explicit import explicit_available, explicit_score
from ...curation.types import FaceId, Progress, Side, no_progress
from ...extras import install
from ..app import App
from ..market.media import media_body
from ..market.pictures import face_file, picture_id, reference_key, shown_references
from ..market.veil import stills
from ..workspace.gated import Gated, Known, Ruling, gated, keep_scores, looked_at
from ..workspace.settings import GateSettings

__all__ = ["Rulings", "look_at_faces", "look_at_media", "look_at_references", "not_looking", "rulings", "unlooked"]

_AT_ONCE = 50
"""Scores are kept after so many: stopped, the next run goes on there."""
Pictures = Callable[[], Sequence[Image.Image]]


@dataclass(frozen=True, slots=True)
class Rulings:
    """What becomes of every picture, as it is known now."""

    settings: GateSettings
    known: Mapping[str, Gated]

    def of(self, picture: str) -> Ruling:
        """Of one, by its id: what nobody looked at or spoke of is shown."""
        about = self.known.get(picture)
        return Ruling.SHOW if about is None else about.ruling(self.settings)

    def with_seen(self, seen: Mapping[str, Gated]) -> Rulings:
        """With what was looked at just now and not kept."""
        return Rulings(self.settings, {**seen, **self.known})


def rulings(app: App) -> Rulings:
    """What becomes of pictures now."""
    return Rulings(app.settings.gate, gated(app.workspace))


def unlooked(app: App, pictures: Iterable[str]) -> list[str]:
    """Those that no model looked at and nobody spoke of."""
    return sorted(set(pictures) - looked_at(app.workspace))


def not_looking(app: App) -> str:
    """Why pictures are not looked at before workers see them, in a sentence; "" where they are."""
    if not app.settings.gate.look:
        return "Pictures are not looked at before workers see them: [gate] look is false in galloway.toml."
    if not explicit_available():
        return f"Pictures are not looked at before workers see them: {install('gate')} tells the sexual ones."
    return ""


def look_at_faces(
    app: App, faces: Iterable[FaceId], progress: Progress = no_progress, *, keep: bool = True
) -> dict[str, Gated]:
    """Look at these crops, where nobody did; what was seen now. It is kept, unless whoever asks only reads."""

    def seen(face_id: FaceId) -> list[Image.Image]:
        path = face_file(app.workspace, app.store, face_id)
        try:
            return [] if path is None else [open_picture(path)]
        except FacesetError:  # whoever puts it on a page says what is wrong with it
            return []

    return _look(app, {face: (Known("", "face"), partial(seen, face)) for face in faces}, progress, keep=keep)


def look_at_references(app: App, side: Side, *, keep: bool = True) -> dict[str, Gated]:
    """Look at the photographs that stand beside questions about a side, as `look_at_faces` does."""
    pictures: dict[str, tuple[Known, Pictures]] = {}
    for path in shown_references(app.workspace, side):
        key = picture_id(app.workspace, reference_key(side, path.name))
        about = Known(f"reference of side {side.value}: {path.name}", "picture")
        pictures[key] = (about, partial(_photograph, path))
    return _look(app, pictures, no_progress, keep=keep)


def look_at_media(app: App, media: Mapping[str, Known], progress: Progress = no_progress) -> None:
    """Look at kept pictures and films, by hosting key; sound is not looked at."""

    def seen(key: str) -> list[Image.Image]:
        body = media_body(app.workspace, key)
        return [] if body is None else stills(body, media[key].name)

    _look(app, {key: (about, partial(seen, key)) for key, about in media.items()}, progress)


def _photograph(path: Path) -> list[Image.Image]:
    return [open_picture(path)]


def _look(
    app: App, pictures: Mapping[str, tuple[Known, Pictures]], progress: Progress, *, keep: bool = True
) -> dict[str, Gated]:
    """The worst of a film's frames counts. What cannot be decoded here is noted without a score."""
    if not_looking(app):
        return {}
    new = unlooked(app, pictures)
    seen: dict[str, Gated] = {}
    kept = 0
    for number, key in enumerate(new, 1):
        about, show = pictures[key]
        score = max((explicit_score(picture) for picture in show()), default=None)
        seen[key] = Gated(key, about.kind, score, None, about.name)
        if keep and (number - kept == _AT_ONCE or number == len(new)):
            scores = {one: seen[one].score for one in new[kept:number]}
            keep_scores(app.workspace, scores, {one: pictures[one][0] for one in scores})
            kept = number
        progress("look before workers do", number, len(new))
    return seen
