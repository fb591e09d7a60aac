"""Workspaces for `bench/people.py`: labelled faces as an extraction leaves them, made once and kept.

What does not change from run to run (pictures, what the identity model saw of them, thumbnails) is kept under
`galloway-bench-people/` in the folder for temporary files; delete it to begin anew. Each run works on a copy.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from galloway.curation.faceset.png.headers import FaceAlignment, FaceHeader, FaceSource, write_png
from galloway.curation.screen.cache import EmbeddingCache
from galloway.curation.screen.embed import MODEL_NAME, DlibEmbedder, Embedded
from galloway.curation.screen.observe import pixel_key
from galloway.curation.screen.pixels import ALIGNED
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.sight import look_at
from galloway.pipeline.stages.ingest import add_references
from galloway.pipeline.stages.ingest_faces import ingest_faces
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.place import record_place
from PIL import Image

from bench.people_sets import LabelledFace, LabelledSet

__all__ = ["copied", "face_name", "prepared"]

_KEPT = Path(tempfile.gettempdir()) / "galloway-bench-people"
_LEADS = 5
"""Of so many moments of a track one is embedded and stands for the others, as screening does with a film's near-copies
(eight frames): two thousand pictures are looked at instead of ten thousand."""


def face_name(face: LabelledFace) -> str:
    """The file name of a face in its faceset."""
    return f"clip_{face.frame:06d}_0.png"


def prepared(labelled: LabelledSet, jobs: int) -> Path:
    """A workspace with the set's faces, looked at and with its person's photographs; nothing is asked yet."""
    root = _KEPT / f"{re.sub('[^A-Za-z0-9]', '-', labelled.name)}-{len(labelled.faces)}-{_digest(labelled)}"
    if root.is_dir():
        return root
    _KEPT.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_KEPT) as made:
        app = App(make_workspace(Path(made) / "w", "people")[0])
        clip = Path(made) / "clip" / "faces"
        write_faces(labelled, clip, app.workspace.path("reports", "screen-cache.sqlite"), jobs)
        ingest_faces(app, clip, Side.B, person="the person", basis="own")
        add_references(app, Side.B, labelled.references)
        look_at(app, Side.B)
        with suppress(OSError):  # another run was as fast
            (Path(made) / "w").rename(root)
    return root


def copied(workspace: Path, to: Path, seed: int) -> App:
    """A workspace of its own for one run, whose random samples follow from `seed`."""
    pictures = str(workspace / "facesets")

    def copy(source: str, target: str) -> str:
        # A run reads the faces and changes none.
        return (
            str(os.link(source, target) or target) if source.startswith(pictures) else str(shutil.copy2(source, target))
        )

    try:
        shutil.copytree(workspace, to, copy_function=copy)
    except shutil.Error:  # the folder for temporary files is on another disk
        shutil.rmtree(to)
        shutil.copytree(workspace, to)
    settings = to / "galloway.toml"
    settings.write_text(re.sub('^id = ".*"', f'id = "{seed:06x}"', settings.read_text("utf-8"), flags=re.M), "utf-8")
    record_place(to)
    return App(make_workspace(to)[0])


def write_faces(labelled: LabelledSet, folder: Path, cache: Path, jobs: int) -> None:
    """Face PNGs with headers in `folder`. What the identity model saw of them goes into `cache`, from where a workspace
    can take it."""
    folder.mkdir(parents=True)
    tracks = [list(track) for _, track in groupby(labelled.faces, key=lambda face: face.path)]
    write = partial(_write_track, folder=folder, kept=_KEPT / "embeddings.sqlite")
    with EmbeddingCache(cache, MODEL_NAME, ALIGNED) as fresh:
        if jobs <= 1:
            _put(fresh, map(write, tracks))
            return
        with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
            _put(fresh, pool.map(write, tracks, chunksize=4))


def _put(cache: EmbeddingCache, tracks: Iterable[list[tuple[str, Embedded]]]) -> None:
    for found in tracks:
        cache.put_all(found)


def _write_track(track: Sequence[LabelledFace], folder: Path, kept: Path) -> list[tuple[str, Embedded]]:
    """The faces of one track on disk; what was seen of each, by its pixels."""
    seen: list[tuple[str, Embedded]] = []
    with EmbeddingCache(kept, MODEL_NAME, ALIGNED) as known:
        for face in track:
            pixels = face.pixels()
            key = pixel_key(pixels)
            found = known.get(key)
            if found is None and face.step % _LEADS and seen:
                found = seen[-1][1]
            if found is None:
                found = DlibEmbedder(ALIGNED)(pixels)
                known.put_all([(key, found)])
            seen.append((key, found))
            side = pixels.shape[0]
            source = FaceSource(face_name(face), 0, f"clip_{face.frame:06d}.mp4", True, (side, side))
            header = FaceHeader(FaceAlignment(*face.box, np.asarray(found.landmarks)), source)
            write_png(folder / face_name(face), Image.fromarray(pixels), header)
    return seen


def _digest(labelled: LabelledSet) -> str:
    """The same for the same pictures, places and photographs, from wherever the folder is named."""
    rows = [[face.path.name, face.path.stat().st_size, face.frame, face.step, *face.box] for face in labelled.faces]
    photographs = [[path.name, path.stat().st_size] for path in labelled.references]
    return hashlib.blake2b(json.dumps([rows, photographs]).encode(), digest_size=6).hexdigest()
