"""What near-copies of a face say of it: earned on this set, and of no other face."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.learn.copies import heard_of_copies, said_by_copies
from galloway.curation.learn.features import Features
from galloway.curation.learn.verdicts import teach
from galloway.curation.learn.voters import Answers, hear
from numpy.typing import NDArray

TRACKS, LONG = 30, 4


def tracks(first: NDArray[np.bool_], second: NDArray[np.bool_], *, one_page: bool = False) -> tuple[Answers, Features]:
    """Tracks of four moments: one worker judged the first of each, another one the second, on pages of their own or as
    one and the same; the third and fourth were not asked. The features say nothing."""
    faces = np.concatenate([np.arange(TRACKS) * LONG, np.arange(TRACKS) * LONG + 1])
    workers = np.repeat([0, 0] if one_page else [0, 1], TRACKS)
    pages = np.tile(np.arange(TRACKS) // 6, 2) + (0 if one_page else 100 * workers)
    good = np.concatenate([first, second])
    answers = Answers(faces, workers, pages, good, np.full(TRACKS * LONG, np.nan), ("one", "two")[: 2 - one_page])
    nothing = np.zeros((TRACKS * LONG, 3))
    return answers, Features(nothing, np.zeros((TRACKS * LONG, 8)), None, np.repeat(np.arange(TRACKS), LONG))


def said(answers: Answers, features: Features) -> NDArray[np.float64]:
    return said_by_copies(answers, features.groups, hear(answers, features.groups), np.zeros(answers.n_faces))


def test_what_holds_from_moment_to_moment_is_said_of_those_that_nobody_judged() -> None:
    truth = np.arange(TRACKS) % 2 == 0
    answers, features = tracks(truth, truth)
    unasked = said(answers, features).reshape(TRACKS, LONG)[:, 2:]
    assert ((unasked > 0).all(axis=1) == truth).all()
    assert np.abs(unasked).min() > 1.5
    taught = teach(features, answers)
    assert ((taught.posterior > 0.5).reshape(TRACKS, LONG) == truth[:, None]).all()


def test_it_is_never_worth_more_than_its_record() -> None:
    truth = np.ones(TRACKS, dtype=bool)
    assert said(*tracks(truth, truth)).max() <= np.log((TRACKS + 1) / 0.5)


def test_tracks_whose_moments_differ_say_next_to_nothing() -> None:
    first = np.arange(TRACKS) % 2 == 0
    second = np.arange(TRACKS) % 4 < 2
    assert np.abs(said(*tracks(first, second))).max() < np.log(3)


def test_a_face_without_a_judged_copy_hears_nothing() -> None:
    truth = np.arange(TRACKS) % 2 == 0
    answers, features = tracks(truth, truth)
    alone = features.groups.copy()
    alone[2::LONG] = 1000 + np.arange(TRACKS)
    heard = hear(answers, alone)
    assert not heard_of_copies(answers, alone, heard)[2::LONG].any()
    assert heard_of_copies(answers, alone, heard)[3::LONG].all()


def test_copies_on_one_page_are_one_look_and_test_nothing() -> None:
    truth = np.arange(TRACKS) % 2 == 0
    assert not said(*tracks(truth, truth, one_page=True)).any()


def test_of_one_page_a_track_counts_once_however_many_of_it_stood_there() -> None:
    faces = np.arange(4)
    nobody = np.zeros(4, dtype=int)
    answers = Answers(faces, nobody, nobody, faces < 4, np.full(5, np.nan), ("one",))
    groups = np.zeros(5, dtype=np.intp)
    heard = hear(answers, groups)
    accuracy = heard.accuracy[0]
    assert heard_of_copies(answers, groups, heard)[4] == pytest.approx(np.log(accuracy / (1 - accuracy)))
