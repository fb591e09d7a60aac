"""A person's look: sharp where the faces are, bent as the landmarks say, lit as the picture is."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.pipeline.engines.align import FACE_SPAN, MEAN_FACE, hull_mask
from galloway.pipeline.engines.embedded.bending import places_of, sample
from galloway.pipeline.engines.embedded.detail import DETAIL, enlarge, enlarge_cut, enlarging, fitting, shrink
from galloway.pipeline.engines.embedded.look import Look, _told, choose, coarser, draw, fit
from galloway.pipeline.engines.embedded.shape import carried
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_dilation

from tests.support.engines import drawn_face, landmarks_at

CANVAS = 40
SKIN_A, SKIN_B = (220, 170, 140), (120, 80, 60)


def shape(*, mouth: float = 0.0) -> NDArray[np.float64]:
    """Landmarks on the canvas; `mouth` moves it down, in pixels."""
    points = landmarks_at(CANVAS / 2, 0.46 * CANVAS, FACE_SPAN / 1.25 * CANVAS).astype(np.float64)
    points[48:68, 1] += mouth
    return points


def faces(
    skin: tuple[int, int, int], moves: list[float], light: list[float]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float64]]:
    """Drawn faces (at c and DETAIL * c) with their mouths moved and lit, and their landmarks."""
    shapes = np.stack([shape(mouth=move) for move in moves])
    large = []
    for points, lit in zip(shapes, light, strict=True):
        side = CANVAS * DETAIL
        face = drawn_face(np.asarray(points * DETAIL, np.float32), side, side, skin)
        large.append(np.clip(face * lit, 0, 255).astype(np.uint8))
    detailed = np.stack(large)
    return (shrink(detailed) + 0.5).astype(np.uint8), detailed, shapes


def looks() -> tuple[Look, Look]:
    chance = np.random.default_rng(1)
    moves = [float(move) for move in chance.uniform(-2, 2, 30)]
    light = [float(lit) for lit in chance.uniform(0.7, 1.0, 30)]
    return fit(*faces(SKIN_A, moves, light)), fit(*faces(SKIN_B, moves, light))


def mouth_height(picture: NDArray[np.uint8]) -> float:
    """Where the red of the mouth is, in rows of the canvas."""
    inner = picture[:, CANVAS * DETAIL // 3 : -CANVAS * DETAIL // 3].astype(float)
    red = np.clip(inner[..., 0] - 1.6 * inner[..., 1], 0, None)
    red[:CANVAS] = 0
    return float((red.sum(axis=1) * np.arange(len(red))).sum() / max(red.sum(), 1e-6)) / DETAIL


def bend(pictures: NDArray[np.float32], shape: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float32]:
    size = pictures.shape[1]
    return sample(pictures, places_of(shape, wanted, size, size))


def test_a_swapped_face_opens_its_mouth_with_the_other() -> None:
    a, b = looks()
    images, _, shapes = faces(SKIN_A, [-2.0, 0.0, 2.0], [0.85] * 3)
    drawn = draw(b, a, images, shapes).pictures
    assert drawn.shape == (3, CANVAS * DETAIL, CANVAS * DETAIL, 4)
    up, usual, down = (mouth_height(picture) for picture in drawn)
    assert up + 0.7 < usual < down - 0.7


def test_somebody_who_mostly_laughs_closes_the_mouth_with_the_other() -> None:
    chance = np.random.default_rng(4)
    gaps_a, gaps_b = [0.2] * 28 + [4.0] * 4, [0.2] * 10 + [5.0] * 22
    shapes_a, shapes_b = (np.stack([open_mouth(gap) for gap in part]) for part in (gaps_a, gaps_b))
    pictures = chance.integers(0, 255, (CANVAS * DETAIL, CANVAS * DETAIL, 3)).astype(np.uint8)
    detailed = np.repeat(pictures[None], 32, axis=0)
    a, b = (fit(shrink(detailed).astype(np.uint8), detailed, shapes) for shapes in (shapes_a, shapes_b))
    assert lips(b.shape) > 3 > lips(a.shape)
    assert abs(lips(carried(shapes_a[:1], a.own, b.own)[0]) - 0.2) < 0.3


def open_mouth(gap: float) -> NDArray[np.float64]:
    points = shape()
    points[65:68, 1] = points[[63, 62, 61], 1] + gap
    return points


def lips(points: NDArray[np.float64]) -> float:
    return float(np.abs(points[61:64, 1].mean() - points[65:68, 1].mean()))


def test_a_swapped_face_is_the_other_person_in_the_light_of_the_picture() -> None:
    a, b = looks()
    images, _, shapes = faces(SKIN_A, [0.0, 0.0], [0.72, 0.98])
    dark, bright = draw(b, a, images, shapes).pictures[..., :3].astype(float)
    cheek = (
        slice(int(0.48 * CANVAS * DETAIL), int(0.52 * CANVAS * DETAIL)),
        slice(int(0.32 * CANVAS * DETAIL), int(0.36 * CANVAS * DETAIL)),
    )
    assert np.abs(bright[cheek].mean(axis=(0, 1)) - SKIN_B).max() < 25
    assert bright[cheek].mean() > 1.12 * dark[cheek].mean()


def test_light_that_was_never_seen_changes_a_face_no_more_than_light_that_was() -> None:
    chance = np.random.default_rng(6)

    def lit(
        skin: tuple[int, int, int], spread: float
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float64]]:
        """Forty faces, the light on each of which differs from place to place."""
        _, detailed, shapes = faces(skin, list(chance.uniform(-2, 2, 40)), list(chance.uniform(0.7, 1.0, 40)))
        side = CANVAS * DETAIL // 8
        patches = np.kron(np.exp(chance.normal(0, spread, (40, 8, 8, 1))), np.ones((1, side, side, 1)))
        detailed = np.clip(detailed * patches, 0, 255).astype(np.uint8)
        return (shrink(detailed) + 0.5).astype(np.uint8), detailed, shapes

    def changed(of: Look, images: NDArray[np.uint8], shapes: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.linalg.norm(_told(b, of, images, shapes).change.reshape(len(images), -1), axis=1)

    seen_a, seen_b, strange = lit(SKIN_A, 0.04), lit(SKIN_B, 0.04), lit(SKIN_A, 0.5)
    a, b = fit(*seen_a), fit(*seen_b)
    usual = changed(b, seen_b[0], seen_b[2])
    assert changed(a, seen_a[0], seen_a[2]).max() > 0.5 * np.median(usual), "light that is as usual is followed"
    assert changed(a, strange[0], strange[2]).max() < 0.9 * usual.max()


def test_trembling_landmarks_do_not_make_the_face_tremble() -> None:
    chance = np.random.default_rng(2)
    images, detailed, shapes = faces(SKIN_A, [0.0] * 30, [0.85] * 30)
    seen = shapes + chance.normal(0, 0.5, shapes.shape)
    look = fit(images, detailed, seen)
    drawn = draw(look, look, images, seen).pictures[..., :3].astype(float)
    inner = slice(CANVAS * DETAIL // 4, -CANVAS * DETAIL // 4)
    blind = bend(np.repeat(look.texture[None], 30, axis=0), seen.mean(axis=0) * DETAIL, seen * DETAIL)
    assert drawn[:, inner, inner].std(axis=0).mean() < 0.4 * blind[:, inner, inner].std(axis=0).mean()


def test_the_face_ends_where_the_other_ones_jaw_does_and_what_lies_beyond_is_not_face() -> None:
    _, b = looks()
    images, detailed, shapes = faces(SKIN_A, [-2.0, 0.0, 2.0] * 4, [0.85] * 12)
    middle = shapes[:, 30:31]
    wide = shapes.copy()
    wide[:, :17] = middle + (shapes[:, :17] - middle) * 1.15
    a = fit(images, detailed, wide)
    drawn = draw(b, a, images, wide).pictures[0]
    hull = hull_mask(wide[0] * DETAIL, (CANVAS * DETAIL, CANVAS * DETAIL), extended=True) > 0
    face = drawn[..., 3] > 200
    assert not (face & ~binary_dilation(hull, iterations=2)).any()
    inner = hull_mask(wide[0] * DETAIL, (CANVAS * DETAIL, CANVAS * DETAIL), extended=False) > 0
    assert face[inner].mean() > 0.75
    cheeks = face & (np.abs(drawn[..., :3].astype(float) - SKIN_B).max(axis=2) < 60)
    assert cheeks.sum() > 0.8 * face.sum()


@given(st.floats(-4, 4), st.floats(-4, 4))
def test_bending_to_the_same_shape_changes_nothing(x: float, y: float) -> None:
    picture = np.random.default_rng(3).integers(0, 255, (1, 20, 20, 3)).astype(np.float32)
    points = MEAN_FACE * 16 + (x, y)
    assert np.allclose(bend(picture, points, points[None]), picture, atol=0.5)


def test_bending_moves_what_lies_at_the_landmarks() -> None:
    size, points = 60, np.array([[20.0, 20.0], [40.0, 20.0], [30.0, 40.0]])
    picture = np.zeros((1, size, size, 3), np.float32)
    picture[0, 38:43, 28:33] = 255
    wanted = points.copy()
    wanted[2] = (34, 44)
    bent = bend(picture, points, wanted[None])[0, ..., 0]
    rows, columns = np.nonzero(bent > 128)
    assert abs(rows.mean() - 44) < 0.8
    assert abs(columns.mean() - 34) < 0.8


def test_pictures_made_larger_and_smaller_again_are_the_same_where_they_are_smooth() -> None:
    ramp = np.linspace(0, 255, 20, dtype=np.float32)
    picture = np.broadcast_to(ramp[None, :, None, None], (1, 20, 20, 3))
    assert np.allclose(shrink(enlarge(picture))[:, 1:-1], picture[:, 1:-1], atol=0.1)


def test_many_faces_are_sampled_evenly() -> None:
    assert list(choose(3)) == [0, 1, 2]
    chosen = choose(10_000)
    assert (len(chosen), chosen[0], chosen[-1]) == (400, 0, 9_999)


def test_a_person_is_drawn_at_four_times_the_canvas_where_faces_are_that_large() -> None:
    chance = np.random.default_rng(1)
    moves = [float(move) for move in chance.uniform(-2, 2, 30)]
    images, detailed, shapes = faces(SKIN_A, moves, [1.0] * 30)
    large = np.stack([np.asarray(Image.fromarray(picture).resize((4 * CANVAS,) * 2)) for picture in detailed])
    look = fit(images, large, shapes)
    assert look.detail == 4
    drawn = draw(look, look, images[:2], shapes[:2]).pictures
    assert drawn.shape == (2, 4 * CANVAS, 4 * CANVAS, 4)
    less = coarser(look)
    assert less.detail == DETAIL
    halved = draw(less, look, images[:2], shapes[:2]).pictures[..., :3]
    assert np.abs(shrink(drawn[..., :3], 2) - halved).mean() < 3


def test_how_large_faces_are_drawn_goes_by_both_peoples_faces() -> None:
    assert fitting([300.0, 200.0], 64) == 4
    assert fitting([300.0, 120.0], 64) == DETAIL
    assert fitting([200.0, 200.0], 96) == DETAIL


def test_enlarged_four_times_is_as_its_weights_say() -> None:
    picture = np.random.default_rng(2).uniform(0, 255, (1, 6, 6, 3)).astype(np.float32)
    weights = enlarging(6, 4)
    assert np.allclose(enlarge(picture, 4), np.einsum("ia,nabk,jb->nijk", weights, picture, weights), atol=0.01)


@pytest.mark.parametrize("cut", [(0, 24), (3, 22), (21, 24), (5, 7)])
def test_a_part_is_enlarged_as_the_whole_is(cut: tuple[int, int]) -> None:
    pictures = np.random.default_rng(3).uniform(0, 255, (2, 6, 6, 3)).astype(np.float32)
    rows, columns = slice(*cut), slice(2, 23)
    part = enlarge_cut(pictures, 4, (rows, columns))
    assert np.allclose(part, enlarge(pictures, 4)[:, rows, columns], atol=0.001)


def test_light_changes_the_skin_and_not_what_a_mouth_is_mixed_of() -> None:
    """Else what a closed lid's picture takes away is not what light has put there, and an eye shines through it."""
    chance = np.random.default_rng(8)
    moves = [float(move) for move in chance.uniform(-2, 2, 40)]
    light = [float(lit) for lit in chance.uniform(0.5, 1.0, 40)]
    a, b = fit(*faces(SKIN_A, moves, light)), fit(*faces(SKIN_B, moves, light))
    (dark, _, shapes), (bright, _, _) = (faces(SKIN_A, [1.5], [lit]) for lit in (0.55, 0.95))
    one, two = (draw(b, a, images, shapes).pictures[0, ..., :3].astype(float) for images in (dark, bright))
    x, y = np.rint((shapes[0, 48:68].mean(axis=0)) * DETAIL).astype(int)
    cheek = slice(int(0.48 * CANVAS * DETAIL), int(0.52 * CANVAS * DETAIL))
    apart = np.abs(one - two).mean(axis=2)
    assert apart[cheek, int(0.32 * CANVAS * DETAIL) : int(0.36 * CANVAS * DETAIL)].mean() > 15
    assert apart[y - 1 : y + 2, x - 3 : x + 4].max() < 6
