"""What people painted as covering faces teaches the occlusion net."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.engines.embedded.data import load_faces
from galloway.pipeline.engines.embedded.occlusion.learn import kept_back
from galloway.pipeline.engines.embedded.occlusion.lessons import Faces, Lessons, _lent, faces_of, mask_of
from galloway.pipeline.engines.embedded.occlusion.net import SIDE
from numpy.typing import NDArray

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
    monkeypatch.setattr("galloway.pipeline.engines.embedded.occlusion.lessons.MOST", 3)
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
    lessons = Lessons(faces, np.random.default_rng(3), plain)
    untold = np.flatnonzero(~faces.told)
    assert lessons.unsure[untold].all(), "what lies before the others nobody said"
    assert {lessons._known() for _ in range(60)} <= set(faces.painted.tolist())
    for image, _, truth, _ in (lessons._made() for _ in range(20)):
        assert (truth[held()] > 0.99).all(), "what was painted stays, whatever is put before the face"
        assert image.shape == (SIDE, SIDE, 3)
    shares = np.where(np.arange(40) < 10, 0.001, 0.2).astype(np.float32)
    lessons.doubt(shares)
    assert lessons.doubtful[10:].all()
    assert {lessons._known() for _ in range(200)} == {*range(9), *faces.painted.tolist()}, (
        "9 lies beside the painted 12"
    )


def test_what_lies_beside_painted_faces_stays_unsure_while_enough_others_are_there() -> None:
    faces = covered_film(1)
    lessons = Lessons(faces, np.random.default_rng(3), plain)
    nothing = np.zeros(40, np.float32)
    lessons.doubt(nothing)
    assert np.flatnonzero(lessons.unsure).tolist() == [9, 10, 11, 13, 14, 15]
    assert not set(range(9, 16)) & (set(lessons.clean().tolist()) | {lessons._known() for _ in range(300)} - {12})
    lesson = lessons.batch(16)
    assert lesson.known.all(), "nor are they shown as covered"
    few = replace(faces, images=faces.images[9:16], shapes=faces.shapes[9:16], names=faces.names[9:16],
                  told=faces.told[9:16], whose=faces.whose[9:16], marks=faces.marks[9:16])  # fmt: skip
    lessons = Lessons(few, np.random.default_rng(3), plain)
    lessons.doubt(nothing[:7])
    assert not lessons.unsure.any() and len(lessons.clean()) == 6, "none would be left"


def test_a_little_that_the_net_sees_is_enough_where_people_painted() -> None:
    shares = np.where(np.arange(40) < 25, 0.001, 0.02).astype(np.float32)
    for painted, clean in ((1, 25 - 7), (0, 40)):
        lessons = Lessons(covered_film(painted), np.random.default_rng(3), plain)
        lessons.doubt(shares)
        assert len(lessons.clean()) == clean


def test_of_a_person_on_whom_people_painted_a_quarter_is_clean_whatever_the_net_sees() -> None:
    lessons = Lessons(covered_film(2), np.random.default_rng(3), plain)
    lessons.doubt(np.linspace(0.3, 0.9, 40).astype(np.float32))
    untold = np.flatnonzero(~lessons.faces.told)
    clean = np.setdiff1d(untold, np.flatnonzero(lessons.doubtful))
    assert clean.tolist() == untold[: len(clean)].tolist()
    assert len(clean) == pytest.approx(len(untold) / 4, abs=1)


def test_of_people_on_whom_nobody_painted_all_that_are_not_doubtful_teach() -> None:
    faces = covered_film(0)
    lessons = Lessons(faces, np.random.default_rng(3), plain)
    assert not lessons.unsure.any()
    lessons.doubt(np.where(np.arange(40) < 25, 0.02, 0.2).astype(np.float32))
    assert {lessons._known() for _ in range(400)} == set(range(25))
