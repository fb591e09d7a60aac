"""How a person looks at a given expression: a mean face that bends with the landmarks and takes the light of a picture.

An active appearance model (Cootes, Edwards and Taylor 1998). A person's faces are bent to their mean shape and
averaged there, so that eyes and mouth lie on each other and the mean stays sharp; a ridge regression says how the whole
face changes with its coarse light and shape. To draw a person with somebody else's expression, that one's distance from
*their* face at rest is taken over. Nothing here is trained by steps: it takes some seconds, and training starts
from it.

Shapes are float64 (68, 2) in pixels of the canvas (x, y); pictures are squares of canvas pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .nearest import MOST_KEPT, expression_of, mixed, rests_of
from .shape import carried, own
from .skin import face_of

__all__ = ["DETAIL", "Look", "bend", "choose", "draw", "enlarge", "enlarging", "fit", "sample", "shrink"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]

DETAIL = 2
"""A look is drawn twice as large as the network sees faces: its sharpness costs no training."""
MOST_FACES = 400
"""So many faces, spread evenly, are enough to know a look by."""
STIFFNESS = 0.005
"""How far a bend may pass by the landmarks to stay smooth: dlib's points tremble."""
TREMBLES = (0.0, 0.003, 0.01, 0.03, 1e6)
"""Guesses of how far the detector puts a landmark beside its place from frame to frame, in canvas sides."""
_GUESSED_BY = 48
_GRID = 21
"""Displacements are worked out on 21 x 21 points and interpolated between them."""
_COARSE = 8
"""The light of a face is told by 8 x 8 means."""
SHRINK = 30.0
"""Ridge: so many faces' worth of belief that nothing changes."""
AT_REST = 0.25
"""The share of a person's pictures, those with the mouth closed most, that show the face at rest."""
LEAST_AXIS = 0.02
"""Features that vary less than this share of the first are left out."""
FURTHEST = 2.5
"""Light and shape are followed as far as so many standard deviations of what the person was seen in."""
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Look:
    """One person, on a canvas of c pixels.

    `shape` (68, 2) are the mean landmarks, `own` (51, 3) what of them is this person's own with the mouth closed as far
    as it was seen, apart from pose; `steady` (136, 136) takes the trembling out of others. `texture` float32 (s, s, 3)
    with s = DETAIL * c, in 0 … 255, is the face at `shape`. `usual` (features) is what tells pictures of the person
    apart from it on the average, `at_rest` what those with the mouth closed add to that; `axes` (features, k) and
    `scale` (k) whiten what differs from the usual, and `change` (k, c * c * 3) is what each does to the texture. `face`
    float32 (s, s) says in 0 … 1 what of the texture is face. `rests` int8 (m, s, s, 3) and `keys` (m, e) are those of
    `nearest`.
    """

    shape: Doubles
    own: Doubles
    steady: Doubles
    texture: Floats
    usual: Floats
    at_rest: Floats
    axes: Floats
    scale: Floats
    change: Floats
    face: Floats
    rests: NDArray[np.int8]
    keys: Floats

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The parts by name, to be saved."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def choose(count: int, most: int = MOST_FACES) -> NDArray[np.int64]:
    """Which of `count` faces a look is known by: all, or `most` spread evenly."""
    return np.unique(np.linspace(0, count - 1, min(most, count)).round().astype(np.int64))


def fit(images: Bytes, detailed: Bytes, shapes: Doubles) -> Look:
    """The look of faces with landmarks `shapes` (n, 68, 2), seen as `images` (n, c, c, 3).

    `detailed` are the same DETAIL times as large.
    """
    mean, steady, resting = shapes.mean(axis=0), _steadying(detailed, shapes), _resting(shapes)
    whose = own(shapes[resting])
    shapes = mean + _moves(steady, shapes - mean)
    fine = _flattened(detailed, shapes * DETAIL, mean * DETAIL)
    texture = np.average(fine, axis=0, weights=_sharpness(fine)).astype(np.float32)
    flat = _flattened(images, shapes, mean)
    features = _features(mean, flat, shapes)
    usual = features.mean(axis=0)
    at_rest = features[resting].mean(axis=0) - usual
    axes, scale = _whitening(features - usual)
    known = (features - usual) @ axes / scale
    untold = (flat - flat.mean(axis=0)).reshape(len(images), -1)
    change = np.linalg.solve(known.T @ known + SHRINK * np.eye(len(scale)), known.T @ untold)
    kept = choose(len(images), MOST_KEPT)
    said = texture + enlarge(np.asarray(known[kept] @ change, np.float32).reshape(flat[kept].shape))
    return Look(
        shape=mean,
        own=whose,
        steady=steady,
        texture=texture,
        usual=np.asarray(usual, np.float32),
        at_rest=np.asarray(at_rest, np.float32),
        axes=np.asarray(axes, np.float32),
        scale=np.asarray(scale, np.float32),
        change=np.asarray(change, np.float32),
        face=face_of(texture, mean * DETAIL),
        rests=rests_of(fine[kept], said),
        keys=expression_of(shapes[kept], flat[kept], mean),
    )


def _whitening(features: Floats) -> tuple[Floats, Floats]:
    """Axes (features, k) along which the features differ, and how much (k)."""
    _, values, rows = np.linalg.svd(features, full_matrices=False)
    scale = values / np.sqrt(len(features))
    kept = scale > LEAST_AXIS * max(float(scale[0]), 1e-6)
    return rows[kept].T, scale[kept]


def draw(
    look: Look,
    seen: Look,
    images: Bytes,
    shapes: Doubles,
    *,
    without: NDArray[np.int64] | None = None,
    middle: int | None = None,
) -> Bytes:
    """`images` (n, c, c, 3) of the person of `seen`, with landmarks `shapes`, as the person of `look`.

    Gives uint8 (n, DETAIL * c, DETAIL * c, 4): colours, and how much of each pixel is that person's face; or so many
    pixels of its `middle` only. `without` is as in `nearest.mixed`.
    """
    side = middle or len(look.texture)
    parts = [np.zeros((0, side, side, 4), np.uint8)]
    for start in range(0, len(images), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        wanted, textures = _textures(look, seen, images[part], shapes[part], None if without is None else without[part])
        face = np.broadcast_to(255 * look.face[None, :, :, None], (*textures.shape[:3], 1))
        drawn = bend(np.concatenate([textures, face], axis=3), look.shape * DETAIL, wanted * DETAIL, side)
        parts.append(np.clip(drawn + 0.5, 0, 255).astype(np.uint8))
    return np.concatenate(parts)


def _textures(
    look: Look, seen: Look, images: Bytes, shapes: Doubles, without: NDArray[np.int64] | None
) -> tuple[Doubles, Floats]:
    """Where the landmarks are wanted, and the person's face in the mean shape with that light and expression."""
    at = _steadied(seen, shapes)
    wanted = carried(at, seen.own, look.own)
    flat = _flattened(images, at, seen.shape)
    features = _features(seen.shape, flat, at) - seen.usual + look.at_rest - seen.at_rest
    moved = (wanted - look.shape).reshape(len(wanted), -1) / images.shape[1]
    # Light as it differs from what is usual with the person seen; shape as the one who is drawn would have it.
    features[:, -moved.shape[1] :] = moved - look.usual[-moved.shape[1] :]
    known = np.clip(features @ look.axes / look.scale, -FURTHEST, FURTHEST)
    change = np.asarray(known @ look.change, np.float32).reshape(images.shape)
    rest = mixed(look.rests, look.keys, expression_of(wanted, flat, seen.shape), without=without)
    return wanted, np.asarray(look.texture + enlarge(change) + rest, np.float32)


def _steadied(seen: Look, shapes: Doubles) -> Doubles:
    return seen.shape + _moves(seen.steady, shapes - seen.shape)


def shrink(pictures: Bytes | Floats) -> Floats:
    """Pictures (n, DETAIL * c, DETAIL * c, 3) at c: pixel i lies at DETAIL * i."""
    x: Floats = np.pad(np.asarray(pictures, np.float32), ((0, 0), (1, 0), (1, 0), (0, 0)), mode="edge")
    rows = x[:, 0:-1:2] / 4 + x[:, 1::2] / 2 + x[:, 2::2] / 4
    return np.asarray(rows[:, :, 0:-1:2] / 4 + rows[:, :, 1::2] / 2 + rows[:, :, 2::2] / 4, np.float32)


def enlarging(size: int) -> Floats:
    """(DETAIL * size, size) weights of linear interpolation: pixel i goes to DETAIL * i."""
    at = np.minimum(np.arange(DETAIL * size) / DETAIL, size - 1)
    return np.asarray(np.clip(1 - np.abs(at[:, None] - np.arange(size)[None]), 0, None), np.float32)


def enlarge(pictures: Floats) -> Floats:
    """Pictures (n, c, c, 3) at DETAIL times the size, as `enlarging` says."""
    return _doubled(_doubled(pictures, 1), 2)


def _doubled(pictures: Floats, axis: int) -> Floats:
    """Every second row (or column) halfway between its neighbours; the last one is repeated."""
    x = np.moveaxis(pictures, axis, 1)
    wide = np.empty((len(x), DETAIL * x.shape[1], *x.shape[2:]), np.float32)
    wide[:, ::2] = x
    wide[:, 1:-1:2] = (x[:, :-1] + x[:, 1:]) / 2
    wide[:, -1] = x[:, -1]
    return np.moveaxis(wide, 1, axis)


def bend(pictures: Floats, shape: Doubles, wanted: Doubles, middle: int | None = None) -> Floats:
    """`pictures` (n, c, c, 3), all of the landmarks `shape`, bent so that these lie at `wanted` (n, 68, 2); or so many
    pixels of their `middle` only."""
    size = pictures.shape[1]
    coarse = _displacements(wanted, shape - wanted, size)
    return sample(pictures, _everywhere(coarse, size, middle or size))


def _resting(shapes: Doubles) -> NDArray[np.bool_]:
    """Which of the shapes have the mouth closed, as far as this person closes it.

    Two people are compared there and not at their means: one may laugh in most pictures, the other in few.
    """
    gaps = np.linalg.norm(shapes[:, 61:64].mean(axis=1) - shapes[:, 65:68].mean(axis=1), axis=1)
    return np.asarray(gaps <= np.quantile(gaps, AT_REST))


def _steadying(detailed: Bytes, shapes: Doubles) -> Doubles:
    """The filter (136, 136) of a person's shapes: Wiener's, along their principal axes.

    How much of what the landmarks move is trembling cannot be seen in them. Of several guesses that one is taken with
    which the faces lie on each other best when they are bent to the mean.
    """
    some = choose(len(shapes), _GUESSED_BY)
    moved = shapes - shapes.mean(axis=0)
    flat = moved.reshape(len(moved), -1)
    values, axes = np.linalg.eigh(flat.T @ flat / len(flat))
    values = np.maximum(values, 0)
    size, edge = detailed.shape[1], detailed.shape[1] // DETAIL // 4
    mean = shapes.mean(axis=0) * DETAIL
    best, steady = np.inf, np.zeros_like(axes)
    for tremble in TREMBLES:
        share = values / (values + (tremble * size / DETAIL) ** 2 + 1e-9)
        guess = (axes * share) @ axes.T
        # At half the size: the bend itself smoothes grain away, which must not count for it.
        bent = shrink(_flattened(detailed[some], mean + DETAIL * _moves(guess, moved[some]), mean))
        apart = float(bent[:, edge:-edge, edge:-edge].var(axis=0).mean())
        if apart < best:
            best, steady = apart, guess
    return np.asarray(steady, np.float64)


def _moves(steady: Doubles, moved: Doubles) -> Doubles:
    return (moved.reshape(len(moved), -1) @ steady).reshape(moved.shape)


def _flattened(images: Bytes, shapes: Doubles, mean: Doubles) -> Floats:
    """Faces bent to the shape `mean`, float32."""
    size = images.shape[1]
    return sample(images, _everywhere(_displacements(mean[None], shapes - mean, size), size, size))


def _sharpness(flat: Floats) -> Doubles:
    """How much each face counts in the mean: blurred ones hardly."""
    size = flat.shape[1]
    inner = flat[:, size // 4 : -size // 4, size // 4 : -size // 4].mean(axis=3)
    steps = np.abs(np.diff(inner, axis=1)).mean(axis=(1, 2)) + np.abs(np.diff(inner, axis=2)).mean(axis=(1, 2))
    return np.asarray((steps / max(float(steps.max()), 1e-6)) ** 2 + 1e-3, np.float64)


def _features(mean: Doubles, flat: Floats, shapes: Doubles) -> Floats:
    """What tells one picture of a person from another, (n, 192 + 136).

    That is coarse light in shares of full, and the shape's distance from the mean in canvas sides.
    """
    count, size = flat.shape[:2]
    inner = flat[:, size // 10 : size - size // 10, size // 10 : size - size // 10]
    cells = np.array_split(np.arange(inner.shape[1]), _COARSE)
    starts, sizes = [cell[0] for cell in cells], np.array([len(cell) for cell in cells], np.float32)
    sums = np.add.reduceat(np.add.reduceat(inner, starts, axis=1), starts, axis=2)
    light = (sums / (sizes[:, None] * sizes)[..., None]).reshape(count, -1) / 255
    moved = (shapes - mean).reshape(count, -1) / size
    return np.asarray(np.concatenate([light, moved], axis=1), np.float32)


def _displacements(at: Doubles, moves: Doubles, size: int) -> Doubles:
    """Thin plate splines (Bookstein 1989) that move the points `at` (n, p, 2) by `moves`, the border by nothing.

    Returns displacements (n, _GRID, _GRID, 2) as x, y. With one set of points for all moves, (1, p, 2), one system is
    solved for all.
    """
    sets, count = len(at), len(moves)
    border = np.array([(x, y) for x in (0, 0.5, 1) for y in (0, 0.5, 1) if (x, y) != (0.5, 0.5)])
    points = np.concatenate([at / size, np.broadcast_to(border, (sets, *border.shape))], axis=1)
    number = points.shape[1]
    matrix = np.zeros((sets, number + 3, number + 3))
    matrix[:, :number, :number] = _bending(points, points) + STIFFNESS * np.eye(number)
    matrix[:, :number, number:] = _affine(points)
    matrix[:, number:, :number] = _affine(points).transpose(0, 2, 1)
    wanted = np.zeros((count, number + 3, 2))
    wanted[:, : moves.shape[1]] = moves
    if sets < count:
        wanted = np.moveaxis(wanted, 0, 1).reshape(1, number + 3, -1)
    weights = np.linalg.solve(matrix, wanted)
    axis = np.linspace(0, 1, _GRID)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(1, -1, 2)
    basis = np.concatenate([_bending(grid, points), np.broadcast_to(_affine(grid), (sets, _GRID**2, 3))], axis=2)
    moved = (basis @ weights).reshape(sets, _GRID**2, -1, 2)
    return np.asarray(np.moveaxis(moved, 2, 1).reshape(count, _GRID, _GRID, 2), np.float64)


def _bending(one: Doubles, other: Doubles) -> Doubles:
    squared = sum((one[:, :, None, axis] - other[:, None, :, axis]) ** 2 for axis in (0, 1))
    return np.asarray(0.5 * squared * np.log(squared + 1e-12), np.float64)


def _affine(points: Doubles) -> Doubles:
    return np.concatenate([np.ones((*points.shape[:2], 1)), points], axis=2)


def _everywhere(coarse: Doubles, size: int, middle: int) -> Floats:
    """Where each pixel of the `middle` comes from, (n, middle, middle, 2) as y, x, from displacements on the coarse
    grid of a picture of `size`."""
    edge = (size - middle) // 2
    at = np.linspace(0, _GRID - 1, size)[edge : edge + middle]
    between = np.clip(1 - np.abs(at[:, None] - np.arange(_GRID)[None]), 0, None).astype(np.float32)
    planes = np.moveaxis(coarse[..., ::-1], -1, 1).astype(np.float32)
    moves = between @ planes @ between.T
    axis = np.arange(edge, edge + middle, dtype=np.float32)
    moves[:, 0] += axis[:, None]
    moves[:, 1] += axis
    return np.moveaxis(moves, 1, -1)


def sample(images: Bytes | Floats, at: Floats) -> Floats:
    """Bilinear samples of `images` (n, c, c, k) at `at` (n, s, s, 2) as y, x, the edge repeated outside."""
    count, canvas, _, bands = images.shape
    made = np.empty((count, bands, *at.shape[1:3]), np.float32)
    # A picture and a band at a time: what is worked on stays in the processor's cache.
    for image, places, planes in zip(images, at, made, strict=True):
        y, x = (np.clip(places[..., axis], 0, np.float32(canvas - 1.001)) for axis in (0, 1))
        row, column = y.astype(np.int32), x.astype(np.int32)
        down, right = y - row, x - column
        base = row * canvas + column
        corners = (base, base + 1, base + canvas, base + canvas + 1)
        for band, plane in enumerate(planes):
            flat = np.ascontiguousarray(image[..., band], np.float32).reshape(-1)
            upper, other, lower, last = (flat.take(corner) for corner in corners)
            upper += (other - upper) * right
            lower += (last - lower) * right
            np.add(upper, (lower - upper) * down, out=plane)
    return np.moveaxis(made, 1, -1)
