"""What people painted as covering faces teaches the occlusion net."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.engines.embedded.data import load_faces
from galloway.pipeline.engines.embedded.occlusion.faces import Faces, faces_of, mask_of
from galloway.pipeline.engines.embedded.occlusion.ground import apart, ground_of
from galloway.pipeline.engines.embedded.occlusion.known import Known
from galloway.pipeline.engines.embedded.occlusion.learn import kept_back
from galloway.pipeline.engines.embedded.occlusion.lessons import Lessons, _lent
from galloway.pipeline.engines.embedded.occlusion.net import SIDE, OcclusionNet, hull_plane
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from tests.support.engines import write_faces
from tests.unit.pipeline.engines.embedded.test_occlusion import film_of_a_face, plain

HELD = np.s_[62:86, 30:64]
"""What is held before the face: rows and columns of its canvas."""


def bits(mask: NDArray[np.bool_]) -> str:
    return np.packbits(mask).tobytes().hex()


def held() -> NDArray[np.bool_]:
    mask = np.zeros((SIDE, SIDE), bool)
    mask[HELD] = True
    return mask


def test_painted_faces_are_among_those_that_teach_whichever_are_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_faces(tmp_path / "a", 9)
    write_faces(tmp_path / "b", 4)
    stacks = load_faces(tmp_path / "a", 64), load_faces(tmp_path / "b", 64)
    monkeypatch.setattr("galloway.pipeline.engines.embedded.occlusion.faces.MOST", 3)
    plainly = faces_of(stacks, ())
    name = next(name for name in stacks[0].names if name not in plainly.names)
    found = faces_of(stacks, (), {name: bits(held()), "another.png": bits(held())})
    assert found.names == (*sorted((*plainly.names[:3], name)), *plainly.names[3:]), "in the film's order"
    row = found.names.index(name)
    assert found.painted.tolist() == [row]
    assert np.flatnonzero(found.told).tolist() == [row], "who painted a face called it covered"
    assert np.array_equal(found.marks[row], held())
    coarse = np.zeros((36, 36), bool)
    coarse[9:27] = True
    assert abs(mask_of(bits(coarse)).mean() - 0.5) < 0.03, "a mask of any size fills the canvas"
    for text in ("zz", "", "ffff00"):
        with pytest.raises(EngineError, match="no square mask"):
            mask_of(text)


def covered_film(painted: int) -> Faces:
    """Forty faces of a film; before thirty of them the same dark thing is held, and people painted it on some."""
    images, shapes = film_of_a_face(40)
    images[10:][:, *HELD] = (45, 40, 60)
    marks = np.zeros((40, SIDE, SIDE), bool)
    marks[12 : 12 + 3 * painted : 3] = held()
    names = tuple(map(str, range(40)))
    return Faces(images, shapes, names, marks.any(axis=(1, 2)), np.zeros(40, np.int64), marks)


def test_painted_faces_are_shown_as_they_are_and_never_examined() -> None:
    faces = covered_film(8)
    assert faces.painted.tolist() == [12, 15, 18, 21, 24, 27, 30, 33]
    faces = replace(faces, marks=np.roll(faces.marks, -3, axis=0), told=np.roll(faces.told, -3))
    pupils, others = kept_back(faces)
    assert 9 in faces.painted, "a row that would be kept back"
    assert not others.marks.any()
    assert pupils.marks.any(axis=(1, 2)).sum() == 8
    lesson = Lessons(pupils, np.random.default_rng(1), plain).batch(16)
    assert lesson.known.tolist() == [1.0] * 16, "all that is covered is known"
    assert lesson.truth.any(axis=(1, 2)).sum() >= 2


def test_what_was_painted_is_put_before_other_faces_and_known() -> None:
    faces, chance = covered_film(4), np.random.default_rng(5)
    bare = faces.images[3]
    places = []
    for _ in range(6):
        pasted, truth = _lent(bare, faces, 12, chance)
        assert np.abs(pasted[truth > 0.99].astype(float) - (45, 40, 60)).max() <= 1, "it is the thing of that face"
        assert np.array_equal(pasted[truth == 0], bare[truth == 0])
        assert 0.6 * held().sum() < (truth > 0.5).sum() < 1.6 * held().sum()
        places.append(np.argwhere(truth > 0.5).mean(axis=0))
    assert np.std(places, axis=0).min() > 0.5, "never twice in the same place"


def test_what_stands_before_most_faces_is_not_learnt_as_face_where_people_painted_it() -> None:
    faces = covered_film(4)
    lessons = Lessons(faces, np.random.default_rng(3), plain, stop=lambda: True)
    assert not lessons.knows.sure[~faces.told].any(), "what lies before the others nobody said"
    assert {lessons._known() for _ in range(60)} <= set(faces.painted.tolist())
    for made in (lessons._made() for _ in range(20)):
        assert (made.truth[held()] > 0.99).all(), "what was painted stays, whatever is put before the face"
        assert made.image.shape == (SIDE, SIDE, 3)
        assert made.sure.all()
    lessons.knows.looked(np.zeros((40, SIDE, SIDE), np.float32), trained=False)
    assert {lessons._known() for _ in range(400)} == set(range(40)), "the others teach, too"
    others = np.flatnonzero(~faces.told)
    assert not lessons.knows.sure[others][:, *HELD].any(), "but not where somebody painted, though the net sees nothing"
    assert lessons.knows.sure[others][:, :40].all() and not lessons.knows.covered[others].any()
    lesson = lessons.batch(64)
    assert lesson.known.all() and 0.5 < lesson.sure.mean() < 1


def test_what_is_put_before_a_face_is_known_with_its_rim_where_the_face_is_not() -> None:
    lessons = Lessons(covered_film(4), np.random.default_rng(3), plain, stop=lambda: True)
    lessons.knows.looked(np.zeros((40, SIDE, SIDE), np.float32), trained=False)
    lessons.knows.sure[:] = lessons.knows.covered[:] = False
    lessons.knows.sure[:, -1, -1] = True
    lessons.knows.hidden[:] = np.arange(SIDE) < SIDE // 2
    rims = []
    for made in (lessons._made() for _ in range(20)):
        put, sure = made.truth > 0.5, made.sure > 0
        assert sure[put].all()
        assert not (sure & ~put)[:, : SIDE // 2].any(), "what the net found there may be a thing"
        rims.append((sure & ~put).sum() / max(put.sum(), 1))
    assert 0.1 < np.median(rims) < 1


def test_a_trained_net_is_believed_where_it_is_sure() -> None:
    faces = covered_film(4)
    known = Known(faces, stop=lambda: True)
    found = np.zeros((40, SIDE, SIDE), np.float32)
    found[20][HELD], found[25][HELD], found[26, 20:30, 20:30] = 0.97, 0.6, 0.3
    known.looked(found, trained=True)
    assert np.array_equal(known.covered[20], held()) and known.sure[20][HELD].all()
    assert not known.sure[22][HELD].any(), "a moment later it may be there still, though the net sees nothing"
    assert not known.sure[25][HELD].any() and not known.covered[25].any(), "perhaps something is there, perhaps not"
    assert np.array_equal(known.hidden[25], held()), "face to go by it is not"
    assert not known.sure[26, 20:30, 20:30].any(), "a doubt is a doubt elsewhere, too"
    assert known.sure[3].all() and not known.covered[3].any()
    painted = faces.painted
    assert np.array_equal(known.covered[painted], faces.marks[painted]) and known.sure[painted].all()
    assert known.covered_faces(found) == 6, "four were painted, of two the net says so"


def test_faces_that_are_called_covered_say_where_once_the_net_is_sure() -> None:
    """Nobody painted on them, but on others of the same person."""
    faces = covered_film(4)
    faces = replace(faces, told=faces.told | (np.arange(40) == 30))
    known = Known(faces, stop=lambda: True)
    assert not len(known.hard()) and 30 not in known.teaching(), "nothing of it is known yet"
    nothing = np.zeros((40, SIDE, SIDE), np.float32)
    known.looked(nothing, trained=False)
    assert 30 not in known.teaching() and known.hidden[30].all(), "what covers it must not be taken for face"
    known.looked(nothing, trained=True)
    assert not len(known.hard()) and 30 in known.teaching()


def test_what_was_painted_is_found_again_on_other_faces_and_taught_at_once() -> None:
    faces = covered_film(4)
    moved = np.s_[56:80, 24:58]
    images = faces.images.copy()
    images[30] = images[3]
    images[30][moved] = (45, 40, 60)
    known = Known(replace(faces, images=images))
    there = np.zeros((SIDE, SIDE), bool)
    there[moved] = True
    nothing = np.zeros((SIDE, SIDE), bool)
    assert 30 in known.teaching() and not len(known.hard())
    for row, place in ((20, held()), (30, there), (3, nothing)):
        face = binary_erosion(hull_plane(faces.shapes[row]) > 0, iterations=4)
        sure = known.sure[row] & face
        assert sure.sum() > 0.5 * face.sum(), "all but what no painted face shows"
        assert not (sure & (known.covered[row] != place)).any()
        assert (sure & place).sum() >= 0.8 * (face & place).sum()
        assert not (sure & ~known.covered[row] & known.hidden[row]).any()
    known.looked(np.zeros((40, SIDE, SIDE), np.float32), trained=True)
    face = binary_erosion(hull_plane(faces.shapes[30]) > 0, iterations=4) & there
    assert (known.covered[30] & known.sure[30])[face].mean() > 0.8, "a net that sees nothing there does not undo it"


def test_what_is_like_nothing_that_was_painted_is_not_known() -> None:
    faces = covered_film(4)
    images = faces.images.copy()
    images[30][HELD] = np.random.default_rng(1).integers(0, 255, (24, 34, 3))
    known = Known(replace(faces, images=images))
    inner = np.s_[66:82, 34:60]
    assert not known.sure[30][inner].any() and known.hidden[30][inner].all()


def test_where_nobody_painted_a_trained_net_says_where_faces_are_covered_that_people_called_so() -> None:
    faces = covered_film(0)
    faces = replace(faces, told=np.isin(np.arange(40), (30, 31, 32)))
    known = Known(faces)
    found = np.zeros((40, SIDE, SIDE), np.float32)
    found[30][HELD] = found[12][HELD] = 0.97
    found[31][HELD], found[32, 62, 40] = 0.9, 0.97
    known.looked(found, trained=False)
    assert known.hard().tolist() == [12, 30, 31, 32] and not known.covered.any(), "too early to believe it"
    known.looked(found, trained=True)
    assert known.hard().tolist() == [12, 31, 32], "nobody called 12 so; of 31 it is not sure; on 32 it sees too little"
    assert {30} <= set(known.teaching().tolist()) and not {12, 31, 32} & set(known.teaching().tolist())
    assert np.array_equal(known.covered[30], held()) and known.sure[30][HELD].all()
    assert np.array_equal(known.hidden[30], held()), "it is no part of the uncovered face"
    assert known.sure[30, :40].all() and not known.sure[30, 61, 40], "face is only what looks so beside it, too"


def test_pixels_of_which_nothing_is_known_teach_nothing() -> None:
    images, shapes = film_of_a_face(2)
    net = OcclusionNet(seed=3)
    net.grounds = (ground_of(images, shapes),)
    planes = net.planes(images, shapes)
    nothing = np.zeros((2, SIDE, SIDE), np.float32)
    unknown, known = (
        [net.train_on(planes, truth, sure, np.ones(2, np.float32), 0) for truth in (nothing, nothing + held())]
        for sure in (nothing + ~held(), nothing + 1)
    )
    assert unknown[0] == pytest.approx(unknown[1], rel=1e-5)
    assert known[0] != pytest.approx(known[1], rel=1e-2)


def test_what_is_hidden_is_no_part_of_the_uncovered_face() -> None:
    faces = covered_film(0)
    bare, _ = film_of_a_face(40)
    hidden = np.zeros((40, SIDE, SIDE), bool)
    hidden[10:] = held()
    inner = np.s_[66:82, 34:60]
    grounds = [ground_of(faces.images, faces.shapes, where) for where in (None, hidden)]
    pictures, shapes = np.stack([faces.images[30], bare[30]]), faces.shapes[[30, 30]]
    (usual, _), (thing, face) = (
        np.abs(apart((ground,), pictures, shapes))[:, *inner].mean(axis=(1, 2, 3)) for ground in grounds
    )
    assert thing > 2 * usual, "what most faces have is strange once it is hidden"
    assert thing > 4 * face, "and the face below it is not"


def test_of_people_on_whom_nobody_painted_all_that_are_not_doubtful_teach() -> None:
    faces = covered_film(0)
    known = Known(faces)
    assert known.sure.all()
    found = np.zeros((40, SIDE, SIDE), np.float32)
    found[25:][:, *HELD] = 1
    known.looked(found, trained=True)
    assert known.teaching().tolist() == list(range(25))
    assert known.hard().tolist() == list(range(25, 40))
    assert known.sure.all() and not known.covered.any()
