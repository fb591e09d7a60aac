"""Pick the best faces of side B for side A's clip: for a page, and as the folder that a training run reads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...curation.faceset.picking.choose import lacking, pick
from ...curation.faceset.picking.page import PickPage
from ...curation.faceset.readiness.view import read_view
from ...curation.files import write_atomic
from ...curation.screen.cache import EmbeddingCache
from ...curation.screen.embed import MODEL_NAME
from ...curation.screen.pixels import ALIGNED
from ...curation.types import Progress, Side, no_progress

if TYPE_CHECKING:
    from ..app import App

__all__ = ["best_of", "known_embeddings", "linked", "pick_page", "write_pick"]


def pick_page(
    folder: Path,
    against: Path | None,
    count: int,
    *,
    seed: int = 1,
    cache: EmbeddingCache | None = None,
    title: str = "Faces picked",
    progress: Progress = no_progress,
) -> PickPage:
    """The best `count` faces of `folder` for the clip whose faces lie in `against`. Raises FacesetError for a folder
    without faces."""
    faces = read_view(folder, cache=cache, progress=progress)
    clip = read_view(against, progress=progress) if against is not None else None
    names = tuple(path.name for path in sorted(folder.glob("*.png")))
    picked = pick(faces, count, clip=clip, seed=seed)
    return PickPage(title, names, picked, lacking(faces, clip) if clip is not None else [], clip is not None)


def best_of(app: App, count: int, *, seed: int = 1, progress: Progress = no_progress) -> PickPage:
    """The best `count` faces of the workspace's side B for side A's clip, where A has faces."""
    clip = app.workspace.faces_dir(Side.A)
    against = clip if clip.is_dir() and any(clip.glob("*.png")) else None
    with known_embeddings(app) as cache:
        return pick_page(
            app.workspace.faces_dir(Side.B),
            against,
            count,
            seed=seed,
            cache=cache,
            title="Faces of side B that were picked",
            progress=progress,
        )


def write_pick(page: PickPage, path: Path) -> None:
    """The page at `path` (.html) and, beside it, its map (.svg) and the list as JSON; each appears whole or not at
    all."""
    found = {".html": page.to_html(), ".svg": page.picture(), ".json": page.to_json()}
    for suffix, text in found.items():
        write_atomic(path.with_suffix(suffix), text, durable=False)


@contextmanager
def linked(folder: Path, names: list[str], at: Path) -> Iterator[Path]:
    """A folder `at` that holds nothing but links to these faces of `folder`, gone again afterwards: a copy would
    outlive a face that is erased. Copies are made where the disk has no links (exFAT)."""
    _unlink(at)
    at.mkdir(parents=True)
    try:
        for name in names:
            try:
                (at / name).symlink_to(os.path.relpath(folder / name, at))
            except OSError:
                shutil.copy2(folder / name, at / name)
        yield at
    finally:
        _unlink(at)


def _unlink(folder: Path) -> None:
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


@contextmanager
def known_embeddings(app: App) -> Iterator[EmbeddingCache | None]:
    """The embeddings that screening left in the workspace, or None; none are computed here."""
    from ..asking.screening import CACHE_NAME  # a folder of faces is picked from without a workspace's extra

    path = app.workspace.root / "reports" / CACHE_NAME
    if not path.is_file():
        yield None
        return
    with EmbeddingCache(path, MODEL_NAME, ALIGNED) as cache:
        yield cache
