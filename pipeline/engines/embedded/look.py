"""How a person looks at a given expression: a mean face that bends with the landmarks and takes the light of a picture.

An active appearance model (Cootes, Edwards and Taylor 1998). A person's faces are bent to their mean shape and
averaged there, so that eyes and mouth lie on each other and the mean stays sharp; a ridge regression says how the whole
face changes with its coarse light and shape. To draw a person with somebody else's expression, that one's distance from
*their* face at rest is taken over. Nothing here is trained by steps: it takes some seconds, and training starts
from it.

Shapes are float64 (68, 2) in pixels of the canvas (x, y); pictures are squares of canvas pixels.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..evenly import evenly
from .aside import usual_aside
from .bending import flattened, places_of, sample
from .brows import brow_moves, settle_brows
from .detail import DETAIL, Cut, enlarge, enlarge_cut, shrink
from .irises import turned
from .lids import lids_of, openness, shut
from .mouths import gap_of, lacking, mouths_of
from .nearest import (
    MOST_KEPT,
    Halves,
    as_other,
    expression_of,
    eyes_in,
    halves_of,
    lower_rows,
    mixed,
    mouth_in,
    moving_parts,
    rests_of,
    varied,
)
from .pieces import Piece
from .shape import carried, heads_turned, own
from .skin import face_of

__all__ = ["Look", "choose", "coarser", "draw", "fit"]

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]

MOST_FACES = 400
"""So many faces, spread evenly, are enough to know a look by."""
TREMBLES = (0.0, 0.003, 0.01, 0.03, 1e6)
"""Guesses of how far the detector puts a landmark beside its place from frame to frame, in canvas sides."""
_GUESSED_BY = 48
_COARSE = 8
"""The light of a face is told by 8 x 8 means."""
SHRINK = 30.0
"""Ridge: so many faces' worth of belief that nothing changes."""
AT_REST = 0.25
"""The share of a person's pictures, those with the mouth closed most, that show the face at rest."""
LEAST_AXIS = 0.02
"""Features that vary less than this share of the first are left out."""
FURTHEST = 2.5
"""Each thing about light and shape is followed as far as so many standard deviations of how the person was seen."""
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Look:
    """One person, on a canvas of c pixels.

    `shape` (68, 2) are the mean landmarks, `own` (51, 3) what of them is this person's own with the mouth closed as far
    as it was seen, apart from pose; `steady` (136, 136) takes the trembling out of others. `texture` float32 (s, s, 3)
    with s = `detail` * c, in 0 … 255, is the face at `shape`. `usual` (features) is what tells pictures of the person
    apart from it on the average, `at_rest` what those with the mouth closed add to that; `axes` (features, k) and
    `scale` (k) whiten what differs from the usual, and `change` (k, c * c * 3) is what each does to the texture. `face`
    float32 (s, s) says in 0 … 1 what of the texture is face. `rests` int8 (m, s, s, 3) and `keys` (m, e) are those of
    `nearest`, of the faces `kept` (m,) among those that the look was made of; `known` (m, k) is what is known of these,
    whitened, and `calm` (e,) is the person's expression with the mouth closed; `aside` (3, 9) is that of `aside`.
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
    kept: NDArray[np.int64]
    known: Floats
    calm: Floats
    aside: Floats

    @property
    def detail(self) -> int:
        """How many times as large as the canvas the face is known and drawn."""
        return int(len(self.texture) // round((self.change.shape[1] / 3) ** 0.5))

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The parts by name, to be saved."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def choose(count: int, most: int = MOST_FACES) -> NDArray[np.int64]:
    """Which of `count` faces a look is known by: all, or `most` spread evenly."""
    return evenly(count, most)


def fit(images: Bytes, detailed: Bytes, shapes: Doubles) -> Look:
    """The look of faces with landmarks `shapes` (n, 68, 2), seen as `images` (n, c, c, 3).

    `detailed` are the same DETAIL or more times as large, a power of two.
    """
    detail = detailed.shape[1] // images.shape[1]
    shapes = settle_brows(images, shapes)
    mean, steady, resting = shapes.mean(axis=0), _steadying(detailed, shapes, detail), _resting(shapes)
    whose = own(shapes[resting])
    shapes = mean + _moves(steady, shapes - mean)
    flat = flattened(images, shapes, mean)
    aside = usual_aside(flat, mean, heads_turned(shapes))
    expressions = expression_of(shapes, whose, flat, mean, aside)
    kept = varied(expressions, MOST_KEPT * DETAIL // detail)
    texture, fine = _averaged(detailed, shapes * detail, mean * detail, kept)
    features = _features(mean, flat, shapes)
    usual = features.mean(axis=0)
    at_rest = features[resting].mean(axis=0) - usual
    axes, scale = _whitening(features - usual)
    known = (features - usual) @ axes / scale
    untold = (flat - flat.mean(axis=0)).reshape(len(images), -1)
    change = np.linalg.solve(known.T @ known + SHRINK * np.eye(len(scale)), known.T @ untold)
    said = texture + enlarge(np.asarray(known[kept] @ change, np.float32).reshape(flat[kept].shape), detail)
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
        face=face_of(texture, mean * detail),
        rests=rests_of(fine, said),
        keys=expressions[kept],
        kept=kept,
        known=np.asarray(known[kept], np.float32),
        calm=np.median(expressions[resting], axis=0),
        aside=aside,
    )


def _whitening(features: Floats) -> tuple[Floats, Floats]:
    """Axes (features, k) along which the features differ, and how much (k)."""
    _, values, rows = np.linalg.svd(features, full_matrices=False)
    scale = values / np.sqrt(len(features))
    kept = scale > LEAST_AXIS * max(float(scale[0]), 1e-6)
    return rows[kept].T, scale[kept]


def coarser(look: Look) -> Look:
    """The same look known and drawn DETAIL times as large as the canvas: for what is made smaller at once."""
    times = look.detail // DETAIL
    if times < 2:
        return look
    rests = np.concatenate([np.rint(shrink(part[None], times)) for part in look.rests]).astype(np.int8)
    face = shrink(np.repeat(look.face[None, :, :, None], 3, axis=3), times)[0, ..., 0]
    return replace(look, texture=shrink(look.texture[None], times)[0], face=face, rests=rests)


def draw(
    look: Look,
    seen: Look,
    images: Bytes,
    shapes: Doubles,
    *,
    without: NDArray[np.int64] | None = None,
    middle: int | None = None,
    gazes: Doubles | None = None,
    uncovered: Floats | None = None,
) -> Drawn:
    """`images` (n, c, c, 3) of the person of `seen`, with landmarks `shapes`, as the person of `look`.

    Gives pictures (n, s, s, 4) with s = `look.detail` * c, or so many pixels of their `middle` only. `without` is as in
    `nearest.halves_of`; `gazes` (n, 2) says where the eyes are to look, as `curation.screen.gaze` tells it, None: where
    this person's did. `uncovered` (s, s) says of the texture of `look`, 0 … 1, where nothing of the person seen, as
    hair, lies before what is drawn, None: nowhere anything.
    """
    side = middle or len(look.texture)
    parts = [np.zeros((0, side, side, 4), np.uint8)]
    pieces: list[tuple[Piece, ...]] = []
    opened: list[Bytes] = []
    for start in range(0, len(images), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        told = _told(look, seen, images[part], shapes[part], None if without is None else without[part])
        places = places_of(look.shape * look.detail, told.wanted * look.detail, len(look.texture), side)
        cut = _reached(places, len(look.texture))
        textures = _textures(look, told, cut)
        corner = np.array([cut[0].start, cut[1].start])
        if gazes is not None:
            turned(textures, look.shape * look.detail - corner[::-1], gazes[part])
        drawn = sample(textures, places - corner.astype(np.float32))
        drawn += np.float32(0.5)
        parts.append(np.clip(drawn, 0, 255, out=drawn).astype(np.uint8))
        if uncovered is not None:
            opened.append(_opened(uncovered, places, look.detail))
        where = told.at, told.wanted
        inner = look.detail, (len(look.texture) - side) // 2
        each = zip(mouths_of(*where, told.lacking, *inner), lids_of(*where, told.shut, *inner), strict=True)
        pieces += [(mouth, *lids) for mouth, lids in each]
    return Drawn(np.concatenate(parts), pieces, np.concatenate(opened) if opened else None)


def _opened(uncovered: Floats, places: Floats, detail: int) -> Bytes:
    """A plane (s, s), 0 … 1, looked up at `places` (n, side, side, 2), in bytes; it is soft enough for every `detail`th
    of them."""
    few = np.rint(places[:, detail // 2 :: detail, detail // 2 :: detail]).astype(np.intp).clip(0, len(uncovered) - 1)
    found = (uncovered[few[..., 0], few[..., 1]] * 255 + np.float32(0.5)).astype(np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize(places.shape[1:3], _BETWEEN)) for one in found])


_BETWEEN = Image.Resampling.BILINEAR


class Drawn(NamedTuple):
    """Faces as they are drawn: `pictures` uint8 (n, s, s, 4), colours and how much of each pixel is the face of the one
    who is drawn, what stays of each one's mouth and lids, and how far each pixel is `uncovered` uint8 (n, s, s), None:
    all."""

    pictures: Bytes
    pieces: list[tuple[Piece, ...]]
    uncovered: Bytes | None = None


@dataclass(frozen=True, slots=True)
class _Told:
    """What faces say of how they are to be drawn: where the landmarks are (`at`) and are `wanted` (n, 68, 2), how their
    light and shape `change` the texture (n, c, c, 3), of which kept pictures their expression is mixed, by `halves`,
    how much of what is in the mouth is `lacking` (n,) in these, and how much of `shut` lids (n,)."""

    at: Doubles
    wanted: Doubles
    change: Floats
    halves: Halves
    lacking: Doubles
    shut: Doubles


def _told(look: Look, seen: Look, images: Bytes, shapes: Doubles, without: NDArray[np.int64] | None = None) -> _Told:
    at = _steadied(seen, shapes)
    flat = flattened(images, at, seen.shape)
    brows = brow_moves(flat, shrink(seen.texture[None], seen.detail)[0], seen.shape)
    raised = brows.any(axis=(1, 2))
    if raised.any():
        at[raised] += _moves(seen.steady, brows[raised])
        flat[raised] = flattened(images[raised], at[raised], seen.shape)
    wanted = carried(at, seen.own, look.own)
    features = _features(seen.shape, flat, at) - seen.usual + look.at_rest - seen.at_rest
    moved = (wanted - look.shape).reshape(len(wanted), -1) / images.shape[1]
    # Light as it differs from what is usual with the person seen; shape as the one who is drawn would have it.
    features[:, -moved.shape[1] :] = moved - look.usual[-moved.shape[1] :]
    known = _within(features @ look.axes / look.scale)
    expression = expression_of(at, seen.own, flat, seen.shape, seen.aside)
    others = as_other(expression, seen.calm, look.calm, wanted, look.own)
    halves = halves_of(look.keys, others, without)
    change = np.asarray(known @ look.change, np.float32)
    for share, half in zip(moving_parts(look.shape, images.shape[1]), (halves.eyes, halves.mouth), strict=True):
        here = np.flatnonzero(np.repeat(share.ravel() > 0, 3))
        instead = (half @ look.known - known) @ look.change[:, here]
        change[:, here] += np.repeat(share.ravel(), 3)[here] * instead
    gaps = lacking(gap_of(mouth_in(others)), gap_of(mouth_in(halves.mouth @ look.keys)))
    usual = float(openness(eyes_in(seen.calm[None]))[0])
    apart = (openness(eyes_in(told)) for told in (others, halves.eyes @ look.keys))
    lids = shut(openness(eyes_in(expression)), usual, *apart)
    return _Told(at, wanted, change.reshape(images.shape), halves, gaps, lids)


def _within(known: Floats | Doubles) -> Floats:
    """What faces (n, k) say in standard deviations, each kept within FURTHEST and all together no further from the
    mean than is usual: another person in another room differs in everything at once, which was never seen."""
    near = np.asarray(np.clip(known, -FURTHEST, FURTHEST), np.float32)
    far = np.linalg.norm(near, axis=1, keepdims=True)
    return np.asarray(near * np.minimum(1, np.sqrt(near.shape[1]) / np.maximum(far, 1e-9)), np.float32)


def _reached(places: Floats, size: int) -> Cut:
    """The rows and columns of a picture of `size` that lie under `places`."""
    found = []
    for axis in (0, 1):
        low = min(max(int(places[..., axis].min()), 0), size - 2)
        found.append(slice(low, min(max(int(places[..., axis].max()) + 2, low + 2), size)))
    return found[0], found[1]


def _textures(look: Look, told: _Told, cut: Cut) -> Floats:
    """The person's face in the mean shape with that light and expression, and how far it is face: (n, h, w, 4), in
    0 … 255, of a `cut` of the look's texture."""
    lower = lower_rows(look.shape * look.detail, len(look.texture))
    made = mixed(look.rests, told.halves, lower, cut=cut)
    made += enlarge_cut(told.change, look.detail, cut)
    textures = np.empty((*made.shape[:3], 4), np.float32)
    # A band at a time: rows of three numbers are too short to be worked on.
    for band in range(3):
        np.add(made[..., band], look.texture[cut][..., band], out=textures[..., band])
    np.multiply(look.face[cut], np.float32(255), out=textures[..., 3])
    return textures


def _steadied(seen: Look, shapes: Doubles) -> Doubles:
    return seen.shape + _moves(seen.steady, shapes - seen.shape)


def _resting(shapes: Doubles) -> NDArray[np.bool_]:
    """Which of the shapes have the mouth closed, as far as this person closes it.

    Two people are compared there and not at their means: one may laugh in most pictures, the other in few.
    """
    gaps = np.linalg.norm(shapes[:, 61:64].mean(axis=1) - shapes[:, 65:68].mean(axis=1), axis=1)
    return np.asarray(gaps <= np.quantile(gaps, AT_REST))


def _steadying(detailed: Bytes, shapes: Doubles, detail: int) -> Doubles:
    """The filter (136, 136) of a person's shapes: Wiener's, along their principal axes.

    How much of what the landmarks move is trembling cannot be seen in them. Of several guesses that one is taken with
    which the faces lie on each other best when they are bent to the mean.
    """
    some = choose(len(shapes), _GUESSED_BY)
    moved = shapes - shapes.mean(axis=0)
    flat = moved.reshape(len(moved), -1)
    values, axes = np.linalg.eigh(flat.T @ flat / len(flat))
    values = np.maximum(values, 0)
    size, edge = detailed.shape[1], detailed.shape[1] // detail // 4
    mean = shapes.mean(axis=0) * detail
    best, steady = np.inf, np.zeros_like(axes)
    for tremble in TREMBLES:
        share = values / (values + (tremble * size / detail) ** 2 + 1e-9)
        guess = (axes * share) @ axes.T
        # At half the size: the bend itself smoothes grain away, which must not count for it.
        bent = shrink(flattened(detailed[some], mean + detail * _moves(guess, moved[some]), mean), detail)
        apart = float(bent[:, edge:-edge, edge:-edge].var(axis=0).mean())
        if apart < best:
            best, steady = apart, guess
    return np.asarray(steady, np.float64)


def _moves(steady: Doubles, moved: Doubles) -> Doubles:
    return (moved.reshape(len(moved), -1) @ steady).reshape(moved.shape)


def _averaged(detailed: Bytes, shapes: Doubles, mean: Doubles, kept: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Faces bent to the shape `mean`: their average, in which sharp ones count most, and the `kept` ones."""
    # As bytes: as floats they take four times the memory, which at four times the canvas is half a gigabyte.
    fine = np.empty(detailed.shape, np.uint8)
    counts = np.empty(len(fine))
    for start in range(0, len(fine), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        flat = flattened(detailed[part], shapes[part], mean)
        counts[part] = _steps(flat)
        fine[part] = np.clip(flat + np.float32(0.5), 0, 255)
    counts = (counts / max(float(counts.max()), 1e-6)) ** 2 + 1e-3
    texture = np.zeros(fine.shape[1:], np.float32)
    for picture, count in zip(fine, counts / counts.sum(), strict=True):
        texture += np.float32(count) * picture
    return texture, fine[kept].astype(np.float32)


def _steps(flat: Floats) -> Doubles:
    """How far neighbouring pixels differ in each face's middle: blurred ones hardly do."""
    size = flat.shape[1]
    inner = flat[:, size // 4 : -size // 4, size // 4 : -size // 4].mean(axis=3)
    return np.asarray(
        np.abs(np.diff(inner, axis=1)).mean(axis=(1, 2)) + np.abs(np.diff(inner, axis=2)).mean(axis=(1, 2))
    )


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
