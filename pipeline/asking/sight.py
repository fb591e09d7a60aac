"""What a side's faces are known by, kept under `reports/features-<side>.npz`, so that no picture is looked at twice.

The file holds embeddings, which are biometric data: it stays in the workspace, and `galloway screen --forget` deletes
it.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...curation.files import write_atomic
from ...curation.learn.features import Features, features_of
from ...curation.listing import Wanted, count_faces
from ...curation.screen.cache import EmbeddingCache
from ...curation.screen.crops import Crop, observe_crops
from ...curation.screen.embed import MODEL_NAME, embedder_available
from ...curation.screen.observe import Observation
from ...curation.screen.pixels import ALIGNED
from ...curation.spread import Spread
from ...curation.types import Face, FaceId, Progress, Side, no_progress
from ..app import App
from ..market.pictures import place_of, reference_files
from ..privacy.gone import erased_faces, forget_gone
from .mapped import looked_at
from .persons import compare_persons, confirmed, crowd_of, look_for_persons
from .screening import CACHE_NAME, features_path, reference_vectors

__all__ = ["Sight", "keep_look", "look_at", "seen", "unseen"]


_SHAPE = "3"
"""What the file holds: one of another shape is made anew."""


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """The faces of a side, in the order of the features' rows."""

    faces: tuple[FaceId, ...]
    features: Features


def look_at(app: App, side: Side, progress: Progress = no_progress, spread: Spread | None = None) -> None:
    """Look at the side's faces, where that was not done since faces or photographs of the person came in; compare them
    with those of which people said since then that they are the same.

    Without the identity model's weights the measures alone are kept. Stopped, it goes on where it was.
    """
    faces = _there(app, side)
    if not faces:
        return
    if _stamp(app, side) != _stamp_of(features_path(app, side)):
        _look(app, side, faces, progress, spread)
    same = confirmed(app, side)
    with np.load(features_path(app, side)) as kept:
        if [str(face) for face in kept["same"]] == same or not len(kept["plain"]):
            return
    _compare(app, side, same)


def _there(app: App, side: Side) -> list[Face]:
    """The side's faces, those that a merge moved away too, but for those whose pictures went since."""
    gone = erased_faces(app)
    return [face for face in app.store.faces(side, rejected=True) if face.face_id not in gone]


def _look(app: App, side: Side, faces: Sequence[Face], progress: Progress, spread: Spread | None) -> None:
    identity = embedder_available()
    moved = app.store.rejected_in()
    crops = [_crop(app, face, moved.get(face.face_id)) for face in faces]
    present = [number for number, crop in enumerate(crops) if crop.path.is_file()]
    with EmbeddingCache(app.workspace.path("reports", CACHE_NAME), MODEL_NAME, ALIGNED) as cache:
        looked = observe_crops(
            [crops[number] for number in present], cache=cache, identity=identity, spread=spread, place=ALIGNED,
            progress=progress,
        )  # fmt: skip
    references = reference_vectors(reference_files(app.workspace, side)) if identity else None
    keep_look(app, side, [faces[number] for number in present], looked, references, stamp=_stamp(app, side))
    forget_gone(app)


def keep_look(
    app: App,
    side: Side,
    faces: Sequence[Face],
    looked: Sequence[Observation],
    references: NDArray[np.float32] | None,
    *,
    stamp: str | None = None,
) -> None:
    """Keep what a look at these faces, all that the side has, found: who is there, and what the faces are known by.

    `references` float32 (r, 128) are those of the person who is wanted.
    """
    look_for_persons(app, side, faces, looked, references)
    found = features_of(looked, references)
    nowhere = np.zeros(0)
    vectors = [item.vector for item in looked if item.vector is not None]
    _keep(
        features_path(app, side),
        found,
        stamp=np.array(stamp or _stamp(app, side)),
        faces=np.array([face.face_id for face in faces], dtype="U32"),
        plain=nowhere if found.distance is None else found.distance,
        vectors=nowhere if found.distance is None else np.stack(vectors),
        same=np.zeros(0, dtype="U32"),
    )
    crowd = crowd_of(app, side, faces)
    app.store.note_looks(looked_at(faces, looked, found.matrix, crowd.persons if crowd is not None else ()))


def _compare(app: App, side: Side, same: Sequence[FaceId]) -> None:
    """Take the faces in `same` for photographs of the person, too."""
    path = features_path(app, side)
    with np.load(path) as kept:
        faces, plain, vectors, stamp = kept["faces"], kept["plain"], kept["vectors"], kept["stamp"]
    known = {FaceId(str(face)): vector for face, vector in zip(faces, vectors, strict=True)}
    said = [face for face in same if face in known]
    distance = np.min([plain, *(np.linalg.norm(vectors - known[face], axis=1) for face in said)], axis=0)
    sight = seen(app, side)
    assert sight is not None, "it was read just now"
    compared = sight.features.compared(distance)
    _keep(path, compared, stamp=stamp, faces=faces, plain=plain, vectors=vectors, same=np.array(same, dtype="U32"))
    compare_persons(app, side, known, said)


def _keep(
    path: Path,
    found: Features,
    *,
    stamp: NDArray[Any],
    faces: NDArray[Any],
    plain: NDArray[Any],
    vectors: NDArray[Any],
    same: NDArray[Any],
) -> None:
    """Write the features and, beside them: whose they are and when (`stamp`), the distance to the photographs alone
    (`plain`) with the vectors that it was measured on, and the faces that were taken for photographs (`same`)."""
    file = io.BytesIO()
    np.savez(
        file,
        matrix=found.matrix,
        measures=found.measures,
        distance=np.zeros(0) if found.distance is None else found.distance,
        groups=found.groups,
        stamp=stamp,
        faces=faces,
        plain=plain,
        vectors=vectors,
        same=same,
    )
    write_atomic(path, file.getvalue())


def unseen(app: App) -> int:
    """How many faces are on sides that nobody looked at since faces or photographs came in; 0 where no model learns."""
    if not app.settings.ask.learns:
        return 0
    count = 0
    for side in Side:
        now = _stamp(app, side)
        if now and now != _stamp_of(features_path(app, side)):
            count += count_faces(app.workspace.db, Wanted(side=side))
            gone = erased_faces(app)
            count -= count_faces(app.workspace.db, Wanted(side=side, among=tuple(gone))) if gone else 0
    return count


def seen(app: App, side: Side) -> Sight | None:
    """What was seen of a side, None where nobody looked yet."""
    path = features_path(app, side)
    if not path.is_file():
        return None
    kept = np.load(path)  # stays open: what is read of it later belongs to the same look
    distance, matrix = kept["distance"], partial(kept.__getitem__, "matrix")
    features = Features(matrix, kept["measures"], distance if len(distance) else None, kept["groups"].astype(np.intp))
    return Sight(tuple(map(FaceId, kept["faces"].tolist())), features)


def _crop(app: App, face: Face, moved: str | None) -> Crop:
    from ...curation.faceset.png.headers import read_header

    path = place_of(app.workspace, face, moved)
    landmarks = read_header(path).alignment.landmarks if path.is_file() else None
    return Crop(face.face_id, path, face.source, face.frame_number, float(min(face.box[2:])), landmarks)


def _stamp(app: App, side: Side) -> str:
    """The same as long as the faces, the photographs and the means to look are the same; "" without faces."""
    digest = app.store.ids_hashed(side, erased_faces(app))
    if digest is None:
        return ""
    photographs = [f"{path.name} {path.stat().st_size}" for path in reference_files(app.workspace, side)]
    digest.update("\n".join(["", *photographs, str(embedder_available()), _SHAPE]).encode())
    return digest.hexdigest()


def _stamp_of(path: Path) -> str:
    if not path.is_file():
        return ""
    with np.load(path) as kept:
        return str(kept["stamp"])
