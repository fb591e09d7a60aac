"""What people painted as covering a face, as pictures."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from ...curation.files import write_atomic
from ...curation.pictures import open_picture
from ..app import App
from ..errors import NothingToDo
from ..market.media import media_body
from ..workspace.judged import moments_of
from .film import JudgedFilm
from .outcome import cover_masks
from .pictures import PIXELS, asked_to_paint

__all__ = ["painted_picture", "write_masks"]

_INK = (255, 0, 255)


def write_masks(app: App, film: JudgedFilm, folder: Path) -> list[Path]:
    """One PNG a moment, `STEM_FIRST-LAST.png`: 255 where most people painted, over this film or one whose place it
    took; the last one's where both have such a moment. Raises NothingToDo without any."""
    found = [item for one in film.with_earlier() for item in cover_masks(app, one)]
    if not found:
        raise NothingToDo(f"Nobody marked what covers a face in {film.name}: that is asked where people say “covered”.")
    folder.mkdir(parents=True, exist_ok=True)
    paths: set[Path] = set()
    for item in found:
        out = io.BytesIO()
        Image.fromarray(item.mask).convert("L").resize((PIXELS, PIXELS), Image.Resampling.NEAREST).save(out, "PNG")
        path = folder / f"{film.path.stem}_{item.first:06d}-{item.last:06d}.png"
        write_atomic(path, out.getvalue())
        paths.add(path)
    return sorted(paths)


def painted_picture(app: App, film: JudgedFilm, first: int) -> bytes | None:
    """A JPEG of what people saw of the moment that begins with frame `first`, with what most of them painted over it;
    None where nobody painted there."""
    mask = next((item.mask for item in cover_masks(app, film) if item.first == first and item.mask.any()), None)
    body = None if mask is None else _shown(app, film, first)
    if mask is None or body is None:
        return None
    picture = open_picture(body)
    ink = Image.fromarray(mask).convert("L").resize(picture.size, Image.Resampling.NEAREST).point(lambda v: v // 2)
    picture.paste(_INK, mask=ink)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def _shown(app: App, film: JudgedFilm, first: int) -> bytes | None:
    numbers = {moment.number for moment in moments_of(app.workspace, film.id) if moment.first == first}
    key = next((key for moment, key in asked_to_paint(app, film) if moment in numbers), None)
    return None if key is None else media_body(app.workspace, key)
