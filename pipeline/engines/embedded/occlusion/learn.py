"""The occlusion net taught and kept: `occlusion.npz` beside the model, replaced in one step, gone on with if there."""

from __future__ import annotations

import hashlib
import json
import math
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from .....curation.errors import FacesetError
from .....curation.files import replacing
from ...base import MASK_NAME, EngineError
from .faces import Faces
from .ground import Ground, ground_of
from .known import Known
from .lessons import Lessons
from .net import OcclusionNet, hull_plane
from .paste import covered

__all__ = [
    "ENOUGH",
    "FEWEST",
    "Taught",
    "kept_back",
    "load_taught",
    "overlap",
    "overlap_of",
    "save_taught",
    "teach",
    "trusted",
]

Floats = NDArray[np.float32]

ENOUGH = 3000
"""Iterations after which more of them teach little."""
FEWEST = 100
"""A training so short is a trial, for which nothing is taught."""
AGAIN = 150
"""Iterations that a net which was taught on other faces gets on the new ones."""
LEAST_OVERLAP, MOST_MISTAKEN = 0.5, 0.03
"""A net that finds made things on faces it was not taught with less well than so is not used, nor one that sees more
than this share of the median one covered when nothing is before them."""
_TRAINED = 300
"""After so many iterations, or half of those that a net gets in all, it is believed where people painted."""
_COUNT, _RATE, _SAVE_EVERY = 12, 2e-3, 100
_EXAMINED = 40
_STATE = "state"


@dataclass(frozen=True, slots=True)
class Taught:
    """How far a net is taught: `iterations`, on which faces (`digest`), its `overlap` on faces kept back, and
    which share of those it sees covered when nothing is before them."""

    iterations: int = 0
    digest: str = ""
    overlap: float = 0.0
    mistaken: float = 0.0
    doubtful: int = 0


Asked = Callable[[], bool]


def teach(
    folder: Path, faces: Faces, *, most: int, seed: int, stop: Asked, used: Callable[[], float],
    tell: Callable[[str], None],
) -> Taught:  # fmt: skip
    """Teach the net in `folder` for at most `most` iterations, or go on with it; saved as it goes.

    Ends early when `stop()` is true, after a save; `used()` is the share of its time that has passed, 0 where it has as
    much as it takes. Nothing is done where it knows these faces well enough. Raises
    EngineError where the disk is full.
    """
    marks = np.packbits(faces.marks[faces.painted]).tobytes()
    digest = hashlib.blake2b("\0".join(faces.names).encode() + marks, digest_size=16).hexdigest()
    found = load_taught(folder)
    net, state = found if found is not None else (OcclusionNet(seed), Taught(digest=digest))
    if state.digest != digest:
        state = replace(state, digest=digest, iterations=min(state.iterations, ENOUGH - AGAIN))
    if state.iterations >= ENOUGH:
        return state
    pupils, others = kept_back(faces)
    if len(pupils.painted):
        tell("occlusion mask: looking for what was painted on the other faces")
    lessons = Lessons(pupils, np.random.default_rng([seed, state.iterations]), net.planes, stop)
    end = min(ENOUGH, state.iterations + most)
    trained = min(_TRAINED, end // 2)

    def look() -> int:
        found = net.predict(pupils.images, pupils.shapes, pupils.whose)
        lessons.knows.looked(found, trained=state.iterations >= trained)
        return lessons.knows.covered_faces(found)

    if state.iterations:
        look()
    net.grounds = _grounds(lessons.knows)
    while state.iterations < end and not stop():
        # Small matrices: what BLAS would spread over the cores waits more than it works.
        with threadpool_limits(1, "blas"):
            lesson = lessons.batch(_COUNT)
        passed = min(1.0, max(state.iterations / end, used()))
        rate = _RATE * (0.02 + 0.98 * (1 + math.cos(math.pi * passed)) / 2)
        loss = net.train_on(lesson.planes, lesson.truth, lesson.sure, lesson.known, rate)
        if not math.isfinite(loss):
            raise EngineError("The occlusion mask's losses are no numbers any more. Train without: -o occlusion=no")
        state = replace(state, iterations=state.iterations + 1)
        if state.iterations % _SAVE_EVERY == 0 or state.iterations == end or stop():
            doubtful = look()
            net.grounds = _grounds(lessons.knows)
            seen = others if len(others) else pupils
            drawn_on = np.isin(seen.whose, pupils.whose[pupils.painted])
            state = replace(_examined(state, net, seen, drawn_on), doubtful=doubtful)
            save_taught(folder, net, state)
            tell(_line(state))
    return state


def kept_back(faces: Faces) -> tuple[Faces, Faces]:
    """The faces that are learnt from, and every tenth, on which the net is examined, less those that people call
    covered; those on which they painted are learnt from."""
    back = np.arange(len(faces)) % 10 == 9
    back[faces.painted] = False
    return _some(faces, ~back), _some(faces, back & ~faces.told)


def _grounds(known: Known) -> tuple[Ground, ...]:
    """Each person's uncovered face."""
    faces, clean = known.faces, known.clean()
    found = []
    for number in np.unique(faces.whose):
        rows = clean[faces.whose[clean] == number]
        rows = rows if len(rows) else np.flatnonzero(faces.whose == number)
        found.append(ground_of(faces.images[rows], faces.shapes[rows], known.hidden[rows]))
    return tuple(found)


def _examined(state: Taught, net: OcclusionNet, faces: Faces, drawn_on: NDArray[np.bool_]) -> Taught:
    """What the net is worth on these faces. Something may lie before any face of a person `drawn_on` (n,) by people:
    what the net sees there before anything is put is no part of the overlap, and the bare half is where it sees least.
    """
    shares = faces.shares(net.predict(faces.images, faces.shapes, faces.whose))
    bare = ~drawn_on
    if drawn_on.any():
        bare |= drawn_on & (shares <= np.median(shares[drawn_on]))
    found = overlap(net, faces, 1, drawn_on)
    return replace(state, overlap=found, mistaken=float(np.median(shares[bare])))


def _line(state: Taught) -> str:
    return (
        f"occlusion mask: {state.iterations} iterations of {ENOUGH} at most, overlap {state.overlap:.2f} on made "
        f"things before faces that were kept back; {state.doubtful} faces look covered"
    )


def overlap(net: OcclusionNet, faces: Faces, seed: int, drawn_on: NDArray[np.bool_] | None = None) -> float:
    """Mean intersection over union, on the face, of what is found and what was put before these faces; of those
    `drawn_on` (n,) without what is seen there when nothing was put."""
    chance = np.random.default_rng([seed, 7])
    rows = chance.integers(0, len(faces), _EXAMINED)
    made = [covered(faces.images[n], faces.shapes[n], faces.images, chance) for n in rows]
    found = net.predict(np.stack([image for image, _ in made]), faces.shapes[rows], faces.whose[rows])
    hulls = np.stack([hull_plane(faces.shapes[row]) for row in rows])
    if drawn_on is not None and (own := drawn_on[rows]).any():
        hulls[own] *= net.predict(faces.images[rows[own]], faces.shapes[rows[own]], faces.whose[rows[own]]) <= 0.5
    scores = [
        value
        for seen, (_, truth), hull in zip(found, made, hulls, strict=True)
        if (value := overlap_of(seen, truth, hull)) is not None
    ]
    return float(np.mean(scores)) if scores else 0.0


def overlap_of(found: Floats, truth: Floats, hull: Floats) -> float | None:
    """Intersection over union of two masks on the face; None where hardly anything lies on it."""
    one, two = (found > 0.5) & (hull > 0), (truth > 0.5) & (hull > 0)
    return float((one & two).sum() / (one | two).sum()) if two.sum() >= _LEAST * (hull > 0).sum() else None


_LEAST = 0.01


def _some(faces: Faces, chosen: NDArray[np.bool_]) -> Faces:
    names = tuple(name for name, taken in zip(faces.names, chosen, strict=True) if taken)
    return Faces(
        faces.images[chosen], faces.shapes[chosen], names, faces.told[chosen], faces.whose[chosen], faces.marks[chosen]
    )


def save_taught(folder: Path, net: OcclusionNet, state: Taught) -> None:
    """Write the net beside the model; a kill at any instant leaves this save or the one before."""
    path = folder / MASK_NAME
    text = np.frombuffer(json.dumps(asdict(state)).encode(), np.uint8)
    arrays: dict[str, Any] = {_STATE: text, **net.to_arrays()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path) as partial, partial.open("wb") as stream:
            np.savez(stream, **arrays)
    except (OSError, FacesetError) as error:
        raise EngineError(f"{path} could not be saved ({error}). Make room, then: galloway train") from error


def load_taught(folder: Path) -> tuple[OcclusionNet, Taught] | None:
    """The net of a model's folder with what is known of it, None where there is none. Raises EngineError where it
    cannot be read."""
    path = folder / MASK_NAME
    if not path.is_file():
        return None
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        state = Taught(**json.loads(arrays.pop(_STATE).tobytes().decode()))
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise EngineError(f"{path} cannot be read ({error}). Remove it and train on: galloway train") from error
    net = OcclusionNet()
    net.from_arrays(arrays)
    return net, state


def trusted(folder: Path) -> OcclusionNet | None:
    """The net of a model's folder, None where there is none or it finds too little."""
    found = load_taught(folder)
    if found is None or found[1].overlap < LEAST_OVERLAP or found[1].mistaken > MOST_MISTAKEN:
        return None
    return found[0]
