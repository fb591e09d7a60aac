"""What a side's faces are known by, kept under `reports/features-<side>.npz`, so that no picture is looked at twice.

The file holds embeddings, which are biometric data: it stays in the workspace, and `galloway screen --forget` deletes
it.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...curation.files import write_atomic
from ...curation.learn.features import Features, features_of
from ...curation.screen.cache import EmbeddingCache
from ...curation.screen.crops import Crop, observe_crops
from ...curation.screen.embed import MODEL_NAME, embedder_available
from ...curation.screen.observe import Observation
from ...curation.screen.pixels import ALIGNED
from ...curation.types import Face, FaceId, Progress, Side, no_progress
from ..app import App
from ..market.pictures import place_of, reference_files
from .persons import confirmed, look_for_persons
from .screening import CACHE_NAME, features_path, reference_vectors

__all__ = ["Sight", "look_at", "seen", "unseen"]


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The faces of a side, in the order of the features' rows."""

    faces: tuple[FaceId, ...]
    features: Features


def look_at(app: App, side: Side, progress: Progress = no_progress) -> None:
    """Look at the side's faces, where that was not done since faces or photographs of the person came in.

    Without the identity model's weights the measures alone are kept. Stopped, it goes on where it was.
    """
    faces, same = app.store.faces(side, rejected=True), confirmed(app, side)
    if not faces or _stamp(app, side, faces, same) == _stamp_of(features_path(app, side)):
        return
    identity = embedder_available()
    moved = app.store.rejected_in()
    crops = [_crop(app, face, moved.get(face.face_id)) for face in faces]
    present = [number for number, crop in enumerate(crops) if crop.path.is_file()]
    with EmbeddingCache(app.workspace.path("reports", CACHE_NAME), MODEL_NAME, ALIGNED) as cache:
        looked = observe_crops(
            [crops[number] for number in present], cache=cache, identity=identity, place=ALIGNED, progress=progress
        )
    references = _known(app, side, looked, same) if identity else None
    look_for_persons(app, side, [faces[number] for number in present], looked, references)
    found = features_of(looked, references)
    kept = io.BytesIO()
    np.savez(
        kept,
        stamp=np.array(_stamp(app, side, faces, same)),
        faces=np.array([faces[number].face_id for number in present], dtype="U32"),
        matrix=found.matrix,
        measures=found.measures,
        distance=np.zeros(0) if found.distance is None else found.distance,
        groups=found.groups,
    )
    write_atomic(features_path(app, side), kept.getvalue())


def unseen(app: App) -> int:
    """How many faces are on sides that nobody looked at since faces or photographs came in; 0 where no model learns."""
    if not app.settings.ask.learns:
        return 0
    count = 0
    for side in Side:
        faces = app.store.faces(side, rejected=True)
        if faces and _stamp(app, side, faces, confirmed(app, side)) != _stamp_of(features_path(app, side)):
            count += len(faces)
    return count


def seen(app: App, side: Side) -> Sight | None:
    """What was seen of a side, None where nobody looked yet."""
    path = features_path(app, side)
    if not path.is_file():
        return None
    with np.load(path) as kept:
        distance = kept["distance"]
        features = Features(
            kept["matrix"], kept["measures"], distance if len(distance) else None, kept["groups"].astype(np.intp)
        )
        return Sight(tuple(FaceId(str(face)) for face in kept["faces"]), features)


def _crop(app: App, face: Face, moved: str | None) -> Crop:
    from ...curation.faceset.png.headers import read_header

    path = place_of(app.workspace, face, moved)
    landmarks = read_header(path).alignment.landmarks if path.is_file() else None
    return Crop(face.face_id, path, face.source, face.frame_number, float(min(face.box[2:])), landmarks)


def _known(app: App, side: Side, looked: Sequence[Observation], same: Collection[FaceId]) -> NDArray[np.float32] | None:
    """What the person looks like: on the photographs, and on the faces of which people said that they are the same."""
    photographs = reference_vectors(reference_files(app.workspace, side))
    if photographs is None:
        return None
    found = [item.vector for item in looked if item.face_id in same and item.vector is not None]
    return np.vstack([photographs, *found])


def _stamp(app: App, side: Side, faces: Sequence[Face], same: Sequence[FaceId]) -> str:
    """The same as long as the faces, what is known of the person and the means to look are the same."""
    photographs = [f"{path.name} {path.stat().st_size}" for path in reference_files(app.workspace, side)]
    text = "\n".join([*sorted(face.face_id for face in faces), *photographs, *same, str(embedder_available())])
    return hashlib.sha256(text.encode()).hexdigest()


def _stamp_of(path: Path) -> str:
    if not path.is_file():
        return ""
    with np.load(path) as kept:
        return str(kept["stamp"])
