"""Builders for screening and readiness: drawn heads, made-up people, observations."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from galloway.curation.faceset.index import FaceIndex, KnownFace
from galloway.curation.screen.embed import Embedded
from galloway.curation.screen.observe import Observation
from galloway.curation.screen.pixels import Measures
from galloway.curation.types import AssignmentId, Face, FaceId, Question, Side, Vote, WorkerId
from galloway.pipeline.app import App
from galloway.pipeline.workspace.folder import CONFIG_NAME, Workspace
from numpy.typing import NDArray

from tests.support.faceset import build_faceset

__all__ = [
    "answer",
    "crowd",
    "embedded",
    "head",
    "observation",
    "people",
    "picture",
    "turned",
    "workspace_with_faces",
]


def _upright() -> NDArray[np.float64]:
    """68 points of an upright head in millimetres: x right, y down, z towards the viewer."""
    points = np.zeros((68, 3))
    jaw = np.linspace(-np.pi / 2, np.pi / 2, 17)
    points[0:17] = np.stack([70 * np.sin(jaw), 110 * np.cos(jaw) + 5, -60 * np.abs(np.sin(jaw)) + 5], axis=1)
    for start, sign in ((17, -1), (22, 1)):
        xs = np.linspace(52, 18, 5) if sign < 0 else np.linspace(18, 52, 5)
        points[start : start + 5] = np.stack([sign * xs, np.full(5, -22.0), 14 - 0.2 * xs], axis=1)
    points[27:31] = [(0, -2, 20), (0, 12, 26), (0, 26, 34), (0, 40, 42)]
    points[31:36] = [(-16, 47, 18), (-8, 49, 22), (0, 50, 25), (8, 49, 22), (16, 47, 18)]
    for start, sign in ((36, -1), (42, 1)):
        outer, inner = (45 * sign, 0, 0), (17 * sign, 1, 7)
        first, last = (outer, inner) if sign < 0 else (inner, outer)
        middle = 31 * sign
        points[start : start + 6] = [
            first,
            (middle - 5, -5, 5),
            (middle + 5, -5, 5),
            last,
            (middle + 5, 5, 5),
            (middle - 5, 5, 5),
        ]
    mouth = np.linspace(-1, 1, 7)
    points[48:55] = np.stack([26 * mouth, 75 - 6 * (1 - mouth**2), 12 + 8 * (1 - mouth**2)], axis=1)
    points[55:60] = np.stack([20 * mouth[-2:0:-1], np.full(5, 83.0), np.full(5, 16.0)], axis=1)
    points[60:65] = np.stack([np.linspace(-20, 20, 5), np.full(5, 74.5), np.full(5, 16.0)], axis=1)
    points[65:68] = np.stack([[10, 0, -10], np.full(3, 75.5), np.full(3, 16.0)], axis=1)
    return points


def turned(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """Rotation of a head by these degrees: yaw > 0 to the viewer's right, pitch > 0 up, roll > 0 clockwise."""
    a, b, c = np.radians([yaw, pitch, roll])
    around_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    around_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    around_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(around_z @ around_x @ around_y)


def head(
    yaw: float = 0,
    pitch: float = 0,
    roll: float = 0,
    *,
    scale: float = 1.0,
    mouth: float = 0.0,
    distance: float = 1e6,
) -> NDArray[np.float32]:
    """68 landmarks (68, 2) of a head `distance` mm from the lens, about (200, 200); `mouth` opens it by millimetres."""
    points = _upright()
    points[65:68, 1] += mouth
    points[55:60, 1] += mouth
    seen = points @ turned(yaw, pitch, roll).T
    return (seen[:, :2] / (1 - seen[:, 2:] / distance) * scale + 200).astype(np.float32)


def picture(seed: int = 0, *, blur: int = 0, size: int = 160) -> NDArray[np.uint8]:
    """An RGB crop with fine texture over broad shapes; `blur` averages over so many neighbours."""
    rng = np.random.default_rng(seed)
    broad = np.kron(rng.integers(60, 200, (4, 4)), np.ones((size // 4, size // 4)))
    grey = np.clip(broad + rng.normal(0, 25, (size, size)), 0, 255)
    for _ in range(blur):
        grey = (grey + np.roll(grey, 1, 0) + np.roll(grey, -1, 0) + np.roll(grey, 1, 1) + np.roll(grey, -1, 1)) / 5
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def people(count: int, seed: int = 0) -> NDArray[np.float32]:
    """Centres of so many made-up persons, about 0.8 apart, as dlib's embeddings of different people are."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(0, 1, (count, 128))
    return (0.8 / np.sqrt(2) * centres / np.linalg.norm(centres, axis=1, keepdims=True)).astype(np.float32)


def crowd(centre: NDArray[np.float32], count: int, seed: int = 1, spread: float = 0.2) -> NDArray[np.float32]:
    """So many faces of one person, each about `spread` from the centre."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 1, (count, 128))
    noise *= spread / np.linalg.norm(noise, axis=1, keepdims=True)
    return (centre + noise).astype(np.float32)


def embedded(vector: NDArray[np.float32] | None = None, *, jitter: float = 0.01, seed: int = 0) -> Embedded:
    """What an embedder would have seen."""
    found = people(1, seed)[0] if vector is None else vector
    return Embedded(found, head(scale=0.5) - 120, jitter)


def observation(
    number: int,
    vector: NDArray[np.float32] | None,
    *,
    sharpness: float = 0.0,
    jitter: float = 0.01,
    yaw: float = 0.0,
    phash: int | None = None,
    frame: int | None = None,
    brightness: float = 0.5,
    size: float = 120,
) -> Observation:
    """A face numbered `number`, unlike the others in its hash unless `phash` is given."""
    code = int(np.random.default_rng(number).integers(0, 2**63)) if phash is None else phash
    return Observation(
        face_id=FaceId(f"{number:032x}"),
        source="clip",
        frame=number if frame is None else frame,
        size=size,
        measures=Measures(sharpness, brightness, 0.2, 0.0, 0.0, code),
        yaw=yaw,
        pitch=0.0,
        roll=0.0,
        misfit=0.05,
        jitter=jitter,
        vector=vector,
    )


def workspace_with_faces(root: Path, faces: Mapping[Side, int]) -> App:
    """A workspace as extraction leaves it: so many faces of one clip per side, with headers, alignments and rows."""
    root.mkdir(parents=True, exist_ok=True)
    (root / CONFIG_NAME).write_text('name = "trial"\n[ask]\nmethod = "majority"\n', encoding="utf-8")
    app = App(Workspace.open(root))
    for number, (side, count) in enumerate(faces.items()):
        frames = {"clip": dict.fromkeys(range(1, count + 1), 1)}
        build_faceset(root / "facesets" / side.value, frames, seed=number + 1, size=64)
        index = FaceIndex.load(app.faceset_paths(side)).refresh(ids=True, content=False)
        app.store.add_faces(_row(side, known) for known in index.faces.values())
        folder = app.workspace.sources_dir(side)
        folder.mkdir(parents=True)
        record = {"person": "Ann", "basis": "consent", "note": "signed, drawer 3", "sha256": "0" * 64}
        (folder / "clip.source.json").write_text(json.dumps(record), encoding="utf-8")
    return app


def _row(side: Side, known: KnownFace) -> Face:
    assert known.face_id is not None
    number = int(Path(known.frame).stem.rpartition("_")[2])
    return Face(known.face_id, side, known.name, "clip", known.frame, known.index, number, (0, 0, 64, 64))


def answer(app: App, side: Side, rejected: Collection[int], *, number: int = 1) -> None:
    """Three workers agree on each face of a side; those at the `rejected` places go as blurred."""
    votes = []
    for place, face in enumerate(app.store.faces(side)):
        for worker in ("ANN", "BEN", "CARA"):
            label = "reject" if place in rejected else "keep"
            votes.append(_vote(face, Question.USABLE, label, worker, number))
            votes.append(_vote(face, Question.IDENTITY, "same", worker, number))
    app.store.add_votes(votes)


def _vote(face: Face, question: Question, label: str, worker: str, round_number: int) -> Vote:
    return Vote(
        face.face_id,
        question,
        label,
        WorkerId(f"{worker}{round_number}"),
        AssignmentId(f"{worker}{round_number}{question.value}"),
        round_number,
        datetime(2026, 5, 4, 12, tzinfo=UTC),
        reason="blurred" if label == "reject" else None,
        seconds=1.5,
    )
