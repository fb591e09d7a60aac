"""From what was seen of a film to its measures. Pure functions of arrays."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from ...curation.screen.pose import expressions, poses
from ..engines.align import normalising_matrix, transform_points
from .values import Doubles, Measured, People, SeenFace

__all__ = ["frechet", "measure"]

_MOVES_AT_ALL = 0.02
"""A mouth or eyes that open and close by less (standard deviation) have nothing to be in step with."""
_MOVES_LITTLE = 0.05
"""Errors are told in shares of how much a mouth or an eye moves, but never of less than this: dlib's points tremble."""


def measure(faces: Sequence[SeenFace], people: People) -> Measured:
    """The measures of one film's faces, in the order of its frames, one face a frame.

    Frames that do not follow each other are not compared with each other. Raises ValueError without faces.
    """
    if not faces:
        raise ValueError("there is no swapped face to measure")
    frames = np.array([face.frame for face in faces], np.int64)
    before, after = (np.stack([getattr(face, way) for face in faces]) for way in ("before", "after"))
    shade = np.stack([face.surface.shade for face in faces])
    series = {
        "identity": _identity(faces, people),
        "pose error": _pose_error(before, after),
        "expression error": _expression_error(before, after),
        "lip sync error": _out_of_step(*_openings(before, after, "mouth_open")),
        "eye sync error": _out_of_step(*_openings(before, after, "eyes_open")),
        "jitter": _jitter(frames, before, after),
        "border colour": np.array([face.surface.border_colour for face in faces]),
        "border edge": np.array([face.surface.border_edge for face in faces]),
        "colour": np.linalg.norm(shade, axis=1),
        "flicker": _flicker(frames, shade),
    }
    return Measured(frames, series, _whole(faces, people, before, after))


def _whole(faces: Sequence[SeenFace], people: People, before: Doubles, after: Doubles) -> dict[str, float]:
    """What only the whole film has: similarities and their variance, retrieval, synchronisation, Fréchet distance."""
    whole = {
        "lip sync": _in_step(*_openings(before, after, "mouth_open")),
        "eye sync": _in_step(*_openings(before, after, "eyes_open")),
    }
    vectors = [face.vector for face in faces if face.vector is not None]
    if not vectors:
        return whole
    found = np.stack(vectors)
    to_a, to_b = (_similarity(found, person) for person in (people.a, people.b))
    return whole | {
        "ID similarity to B": float(to_b.mean()),
        "ID similarity to A": float(to_a.mean()),
        "ID variance": float(to_b.var()),
        "ID retrieval": float((to_b > to_a).mean()),
        "Fréchet distance": frechet(found, people.b),
        "embedded": float(len(found)),
    }


def _similarity(vectors: Doubles, person: Doubles) -> Doubles:
    """Cosine of each embedding with the person's mean."""
    mean = person.mean(axis=0)
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(mean)
    return np.asarray(vectors @ mean / np.maximum(lengths, 1e-12), np.float64)


def _identity(faces: Sequence[SeenFace], people: People) -> Doubles:
    """How far from B a face is, in shares of the way to A; what lies off that way counts too, so that a third person is
    nobody's. B's own spread is taken off: as near as B's own faces are to each other is near enough, and A's own come
    to less than 1. A face that was not embedded is as far as the nearest one of its run that was."""
    a, b = people.a.mean(axis=0), people.b.mean(axis=0)
    way = max(float(np.linalg.norm(a - b)), 1e-9)
    own = float(np.median(np.linalg.norm(people.b - b, axis=1)))
    away = [
        np.nan if face.vector is None else max(0.0, float(np.linalg.norm(face.vector - b)) - own) / way
        for face in faces
    ]
    return _filled(np.array(away, np.float64), faces)


def _filled(values: Doubles, faces: Sequence[SeenFace]) -> Doubles:
    """The same, NaN replaced by the nearest number of the same unbroken run of frames, the earlier of two."""
    starts = [place for place, face in enumerate(faces) if not place or not face.follows(faces[place - 1])]
    found = values.copy()
    for first, end in pairwise([*starts, len(faces)]):
        known = first + np.flatnonzero(np.isfinite(values[first:end]))
        if len(known):
            borders = (known[:-1] + known[1:]) / 2
            found[first:end] = values[known[np.searchsorted(borders, np.arange(first, end))]]
    return found


def _pose_error(before: Doubles, after: Doubles) -> Doubles:
    """Degrees, as the length of the difference of yaw, pitch and roll."""
    one, other = (poses(np.asarray(points, np.float32)) for points in (before, after))
    roll = (other.roll - one.roll + 180) % 360 - 180
    return np.sqrt((other.yaw - one.yaw) ** 2 + (other.pitch - one.pitch) ** 2 + roll**2)


def _expression_error(before: Doubles, after: Doubles) -> Doubles:
    """Both aligned by the inner face and counted from their own means: what is left is how the face moves."""
    one, other = (_normalised(points) for points in (before, after))
    apart = (other - other.mean(axis=0)) - (one - one.mean(axis=0))
    return np.asarray(np.linalg.norm(apart, axis=2).mean(axis=1), np.float64)


def _normalised(points: Doubles) -> Doubles:
    """The inner landmarks (n, 51, 2) on the mean face, in distances between the eyes' outer corners."""
    laid = np.stack([transform_points(normalising_matrix(face), face)[17:] for face in points])
    eyes = np.linalg.norm(laid[:, 28] - laid[:, 19], axis=1)
    return np.asarray(laid / np.maximum(eyes, 1e-6)[:, None, None], np.float64)


def _openings(before: Doubles, after: Doubles, what: str) -> tuple[Doubles, Doubles]:
    one, other = (getattr(expressions(np.asarray(points, np.float32)), what) for points in (before, after))
    return one, other


def _out_of_step(before: Doubles, after: Doubles) -> Doubles:
    apart = np.abs((after - after.mean()) - (before - before.mean()))
    return np.asarray(apart / max(float(before.std()), _MOVES_LITTLE), np.float64)


def _in_step(before: Doubles, after: Doubles) -> float:
    """Correlation over time, 0 where the one moves and the other stands still, NaN where A's hardly moves."""
    if before.std() < _MOVES_AT_ALL:
        return float("nan")
    moved = before.std() * after.std()
    return float(((before - before.mean()) * (after - after.mean())).mean() / moved) if moved > 1e-9 else 0.0


def _jitter(frames: np.ndarray, before: Doubles, after: Doubles) -> Doubles:
    """Second differences of the offset between the two faces' landmarks; 0 at the film's ends and cuts."""
    offset = after - before
    eyes = np.linalg.norm(before[:, 45] - before[:, 36], axis=1)
    found = np.zeros(len(frames))
    if len(frames) < 3:
        return found
    turns = offset[:-2] - 2 * offset[1:-1] + offset[2:]
    follows = (frames[2:] - frames[:-2]) == 2
    found[1:-1] = np.where(follows, np.linalg.norm(turns, axis=2).mean(axis=1) / np.maximum(eyes[1:-1], 1e-6), 0.0)
    return found


def _flicker(frames: np.ndarray, shade: Doubles) -> Doubles:
    found = np.zeros(len(frames))
    follows = np.diff(frames) == 1
    found[1:] = np.where(follows, np.linalg.norm(np.diff(shade, axis=0), axis=1), 0.0)
    return found


def frechet(one: Doubles, other: Doubles) -> float:
    """Fréchet distance of two clouds (n, d) taken as normal (Heusel et al. 2017), ×100; NaN for clouds of one point."""
    if min(len(one), len(other)) < 2:
        return float("nan")
    apart = float(((one.mean(axis=0) - other.mean(axis=0)) ** 2).sum())
    first, second = (np.cov(cloud, rowvar=False) for cloud in (one, other))
    values, axes = np.linalg.eigh(first)
    root = (axes * np.sqrt(np.maximum(values, 0))) @ axes.T
    mixed = np.linalg.eigvalsh(root @ second @ root)
    spread = float(np.trace(first) + np.trace(second) - 2 * np.sqrt(np.maximum(mixed, 0)).sum())
    return 100 * (apart + max(0.0, spread))
