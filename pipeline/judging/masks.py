"""What people painted as covering a face, as pictures."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from ...curation.files import write_atomic
from ..app import App
from ..errors import NothingToDo
from .film import JudgedFilm
from .outcome import cover_masks
from .pictures import PIXELS

__all__ = ["write_masks"]


def write_masks(app: App, film: JudgedFilm, folder: Path) -> list[Path]:
    """One PNG a moment, `STEM_FIRST-LAST.png`: 255 where most people painted. Raises NothingToDo without any."""
    found = cover_masks(app, film)
    if not found:
        raise NothingToDo(f"Nobody marked what covers a face in {film.name}: that is asked where people say “covered”.")
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for item in found:
        out = io.BytesIO()
        Image.fromarray(item.mask).convert("L").resize((PIXELS, PIXELS), Image.Resampling.NEAREST).save(out, "PNG")
        paths.append(folder / f"{film.path.stem}_{item.first:06d}-{item.last:06d}.png")
        write_atomic(paths[-1], out.getvalue())
    return paths
