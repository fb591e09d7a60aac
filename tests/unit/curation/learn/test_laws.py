"""The laws of the taught model: a wrong one loses its say, a page of twelve is not twelve, the bound holds."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.learn.annotator import SILENT, earn
from galloway.curation.learn.bound import Proof, upper_bound
from galloway.curation.learn.choose import first_faces, next_faces
from galloway.curation.learn.features import Features, features_of
from galloway.curation.learn.looks import look_weights
from galloway.curation.learn.model import fit_logistic
from galloway.curation.learn.verdicts import teach
from galloway.curation.learn.voters import Answers, hear
from numpy.typing import NDArray

from tests.support.screen import crowd, observation, people

RATES = ((0.02, 0.01), (0.06, 0.04), (0.08, 0.05), (0.05, 0.07), (0.40, 0.04), (0.17, 0.83))
"""Misses and false alarms of the demo's crowd; the last one answers at random."""


def codes(*values: int) -> NDArray[np.intp]:
    return np.array(values, dtype=np.intp)


def two_persons(count: int = 120, wanted: int = 40) -> tuple[Features, NDArray[np.bool_]]:
    """A set of two made-up persons with a photograph of the first."""
    centres = people(2)
    vectors = np.vstack([crowd(centres[0], wanted, 1), crowd(centres[1], count - wanted, 2)])
    order = np.random.default_rng(3).permutation(count)
    seen = [observation(number, vectors[row], frame=100 * number) for number, row in enumerate(order)]
    return features_of(seen, crowd(centres[0], 1, 9)), order < wanted


def voted(truth: NDArray[np.bool_], faces: NDArray[np.intp], votes: int, seed: int = 0, page: int = 12) -> Answers:
    """The demo's crowd on these faces, each page of twelve by the same workers."""
    rng = np.random.default_rng(seed)
    rows = []
    for number, start in enumerate(range(0, len(faces), page)):
        for worker in rng.permutation(6)[:votes]:
            for face in faces[start : start + page]:
                wrong = rng.random() < RATES[worker][int(truth[face])]
                rows.append((face, worker, 10 * number + worker, truth[face] ^ wrong))
    table = np.array(rows, dtype=np.intp)
    return Answers(table[:, 0], table[:, 1], table[:, 2], table[:, 3] > 0, np.full(len(truth), np.nan), tuple("abcdef"))


def test_a_page_of_twelve_like_faces_is_hardly_more_than_one_vote() -> None:
    one_page = look_weights(np.zeros(12, int), np.zeros(12, int), np.ones(12, int), np.zeros(12, int))
    assert one_page.sum() < 1.2
    mixed = look_weights(np.zeros(12, int), np.zeros(12, int), np.ones(12, int), np.arange(12))
    assert 6 < mixed.sum() < 12
    pages = look_weights(np.zeros(12, int), np.arange(12), np.ones(12, int), np.zeros(12, int))
    assert pages.sum() == pytest.approx(12)


def test_twelve_like_faces_in_one_look_teach_little_about_their_worker() -> None:
    def accuracy(groups: NDArray[np.intp], pages: NDArray[np.intp]) -> float:
        faces = np.tile(np.arange(12), 3).astype(np.intp)
        workers = np.repeat([0, 1, 2], 12).astype(np.intp)
        good = workers != 2
        answers = Answers(faces, workers, pages, good, np.full(12, np.nan), ("a", "b", "c"))
        return float(hear(answers, groups).accuracy[2])

    alone = accuracy(np.arange(12, dtype=np.intp), np.arange(36, dtype=np.intp))
    together = accuracy(np.zeros(12, dtype=np.intp), np.repeat([0, 1, 2], 12).astype(np.intp))
    assert alone < 0.5 < 0.75 < together


def test_a_model_says_nothing_before_it_has_shown_anything_and_a_wrong_one_loses_its_say() -> None:
    rng = np.random.default_rng(1)
    truth = (np.arange(60) % 2).astype(float)
    assert earn(np.zeros(3), np.array([1.0, 1.0, 0.0]), np.ones(3)) is SILENT
    right = earn((2 * truth - 1) * 3 + rng.normal(0, 1, 60), truth, np.ones(60))
    assert right.odds(np.array([4.0]))[0] > 3.0 > -3.0 > right.odds(np.array([-4.0]))[0]
    assert right.accuracy > 0.95
    against = earn(-(2 * truth - 1) * 3 + rng.normal(0, 1, 60), truth, np.ones(60))
    assert np.abs(against.odds(np.linspace(-5, 5, 11))).max() == 0
    noise = earn(rng.normal(0, 3, 60), truth, np.ones(60))
    assert np.abs(noise.odds(np.linspace(-3, 3, 11))).max() < 1.5


def test_its_word_is_never_worth_more_than_its_record() -> None:
    truth = np.array([1.0] * 12 + [0.0] * 12)
    record = earn(np.where(truth > 0.5, 9.0, -9.0), truth, np.ones(24))
    assert record.odds(np.array([50.0]))[0] == pytest.approx(np.log(13 / 0.5))


def test_how_answers_were_given_takes_from_what_is_known_and_not_from_which_side_is_right() -> None:
    """Kept faces are confirmed all at once, rejected ones marked one by one: that must not count against keeping."""
    truth = np.array([0.999] * 20 + [0.001] * 20)
    said = np.where(truth > 0.5, 3.0, -3.0) * np.linspace(0.5, 1.5, 40)
    said[20] = 2.0
    at_once = np.where(truth > 0.5, 0.5, 1.0)
    few, many = (earn(said, truth, np.ones(40), worth).good.most.max() for worth in (at_once, np.ones(40)))
    assert few < many < np.log(21 / 0.5)
    assert few > np.log(10 / 1.5)


def test_who_answers_at_random_is_found_out_by_what_the_model_has_earned_to_say() -> None:
    faces = np.arange(40, dtype=np.intp)
    truth = faces % 2 == 0
    noise = np.random.default_rng(4).random(20) < 0.5
    good = np.concatenate([truth[:20], np.where(noise, truth[20:], ~truth[20:])])
    answers = Answers(faces, faces // 20, faces, good, np.full(40, np.nan), ("looks", "does not"))
    alone = hear(answers, faces)
    told = hear(answers, faces, np.where(truth, 2.5, -2.5))
    assert alone.accuracy[0] == pytest.approx(alone.accuracy[1])
    assert told.accuracy[0] > 0.9 > 0.75 > told.accuracy[1]
    assert np.sign(told.odds).tolist() == np.sign(alone.odds).tolist()


def test_features_that_say_nothing_teach_nothing() -> None:
    rng = np.random.default_rng(5)
    truth = rng.random(120) < 0.5
    noise = Features(rng.normal(0, 1, (120, 40)), np.zeros((120, 8)), None, np.arange(120))
    taught = teach(noise, voted(truth, codes(*range(60)), 3))
    assert float(np.minimum(taught.posterior, 1 - taught.posterior)[60:].min()) > 0.03


def test_a_few_answers_teach_a_set() -> None:
    features, truth = two_persons()
    first = first_faces(features, 48)
    assert len(set(first.tolist())) == 48
    assert truth[first].sum() >= 12
    taught = teach(features, voted(truth, first, 3))
    sure = taught.doubt <= 0.03
    assert sure.mean() > 0.7
    assert ((taught.posterior > 0.5) == truth)[sure].all()
    assert (taught.said[first] != 0).any()


def test_a_tighter_bound_has_its_price() -> None:
    proof = Proof(60, 0, decided=2000, price=lambda faces: f"${faces / 100:.2f}")
    more = proof.more_for(0.02)
    assert f"{more} more faces asked (about ${more / 100:.2f}) would prove 2.0%" in proof.text()
    assert f"; {more} more faces asked would prove" in Proof(60, 0, decided=2000).text()


def test_a_fit_is_the_same_wherever_it_starts() -> None:
    features, truth = two_persons()
    target, worth = truth.astype(float), np.ones(len(truth))
    rows = np.arange(len(features))
    elsewhere = fit_logistic(features.matrix, rows[:60], target[:60], worth[:60])
    cold = fit_logistic(features.matrix, rows, target, worth)
    warm = fit_logistic(features.matrix, rows, target, worth, start=elsewhere)
    assert np.allclose(cold.coefficients, warm.coefficients, atol=1e-4)


def test_the_next_faces_are_in_doubt_and_unlike_one_another() -> None:
    features, truth = two_persons()
    taught = teach(features, voted(truth, first_faces(features, 12), 2))
    chosen = next_faces(taught, features, np.arange(120, dtype=np.intp), 10)
    assert len(set(chosen.tolist())) == 10
    assert taught.doubt[chosen].mean() >= taught.doubt.mean()
    few = codes(3, 4)
    assert next_faces(taught, features, few, 10).tolist() == [3, 4]


def test_a_persons_word_settles_and_teaches() -> None:
    features, truth = two_persons()
    known = np.full(120, np.nan)
    known[:40] = truth[:40]
    none = np.zeros(0, dtype=np.intp)
    taught = teach(features, Answers(none, none, none, none > 0, known, ()))
    assert ((taught.posterior > 0.5) == truth)[:40].all()
    assert (taught.doubt[:40] < 1e-6).all()
    assert (taught.doubt[40:] < 0.1).mean() > 0.8


def test_the_bound_is_clopper_and_pearsons() -> None:
    assert upper_bound(0, 300) == pytest.approx(0.00994, abs=1e-4)  # R: binom.test(0, 300, alternative = "less")
    assert upper_bound(2, 100) == pytest.approx(0.06162, abs=1e-4)
    assert upper_bound(0, 0) == 1.0
    assert Proof(0, 0).more_for(0.01) == 299
    assert Proof(0, 0).bound == 1.0
    assert Proof(299, 0).more_for(0.01) == 0
    assert Proof(100, 0).more_for(0.01) == 199
    assert Proof(300, 0, noticing=0.8).bound == pytest.approx(0.01242, abs=1e-4)


@pytest.mark.parametrize("share", [0.002, 0.01, 0.05])
@pytest.mark.parametrize("noticing", [1.0, 0.8])
def test_the_bound_holds_in_95_of_100_sets(share: float, noticing: float) -> None:
    rng = np.random.default_rng(7)
    held = 0
    for _ in range(400):
        wrong = rng.random(5000) < share
        audited = rng.choice(5000, 300, replace=False)
        noticed = int((wrong[audited] & (rng.random(300) < noticing)).sum())
        held += wrong.mean() <= Proof(300, noticed, noticing).bound
    assert held / 400 >= 0.95
