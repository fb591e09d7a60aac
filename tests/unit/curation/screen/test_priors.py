"""Priors, calibration and proposals."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.errors import ScreenError
from galloway.curation.screen.calibrate import auc, calibrate, calibration_error, triage
from galloway.curation.screen.priors import Screening, screen
from galloway.curation.screen.proposals import propose
from galloway.curation.types import REASONS, DecidedBy, Side, Status
from hypothesis import given
from hypothesis import strategies as st

from tests.support.screen import crowd, observation, people


def _mixed(side: Side = Side.B) -> Screening:
    """20 good faces of the person, 5 blurred ones, 10 of somebody else; reference of the first."""
    one, other = people(2)
    good = [observation(i, v, sharpness=0.01 * i) for i, v in enumerate(crowd(one, 20, 1))]
    blurred = [observation(20 + i, v, sharpness=-4.0, jitter=0.12) for i, v in enumerate(crowd(one, 5, 2, spread=0.45))]
    wrong = [observation(25 + i, v) for i, v in enumerate(crowd(other, 10, 3))]
    return screen([*good, *blurred, *wrong], side, crowd(one, 1, 4))


def test_good_faces_are_kept_and_strangers_are_not() -> None:
    priors = _mixed().priors
    assert min(p.p_keep for p in priors[:20]) > 0.95
    assert max(p.p_keep for p in priors[25:]) < 0.03
    assert all("other_person" in p.flags for p in priors[25:])


def test_a_blurred_face_of_the_right_person_counts_on_side_a_only() -> None:
    a, b = _mixed(Side.A).priors, _mixed(Side.B).priors
    assert all("blurred" in p.flags and "unclear" in p.flags for p in b[20:25])
    assert max(p.p_keep for p in b[20:25]) < 0.03 < min(p.p_keep for p in a[20:25])


def test_without_references_the_main_group_is_the_person() -> None:
    one, other = people(2)
    faces = [observation(i, v) for i, v in enumerate(np.concatenate([crowd(one, 20), crowd(other, 6, 2)]))]
    found = screen(faces, Side.A)
    assert found.identity == "main group"
    assert min(p.p_keep for p in found.priors[:20]) > 0.9 > 0.1 > max(p.p_keep for p in found.priors[20:])


def test_two_persons_alike_often_leave_identity_open() -> None:
    one, other = people(2)
    faces = [observation(i, v) for i, v in enumerate(np.concatenate([crowd(one, 12), crowd(other, 10, 2)]))]
    found = screen(faces, Side.A)
    assert found.identity == "ambiguous"
    assert {p.p_same for p in found.priors} == {0.5}
    assert "--person 1" in found.warnings[0]
    chosen = screen(faces, Side.A, person=2)
    assert min(p.p_keep for p in chosen.priors[12:]) > 0.9


def test_an_unknown_person_is_refused() -> None:
    with pytest.raises(ScreenError, match="no person 9"):
        screen([observation(1, people(1)[0])], Side.A, person=9)


def test_without_embeddings_identity_is_left_out() -> None:
    found = screen([observation(1, None), observation(2, None)], Side.B)
    assert found.identity == "none"
    assert [p.p_same for p in found.priors] == [None, None]


def test_nothing_to_screen() -> None:
    assert screen([], Side.A).priors == ()


def test_grids_hold_like_faces() -> None:
    """Pages cut from the order hold one kind of face, not a mixture."""
    priors = _mixed().priors
    order = [p.p_keep for p in sorted(priors, key=lambda p: p.order)]
    assert sorted(p.order for p in priors) == list(range(35))
    assert min(order[:20]) > max(order[25:])


def test_twins_stand_behind_the_sharper_face() -> None:
    vector = people(1)[0]
    faces = [
        observation(1, vector, phash=0, sharpness=1.0),
        observation(2, vector, phash=1, sharpness=2.0),
        observation(3, vector),
    ]
    priors = screen(faces, Side.B, vector[None]).priors
    assert [p.twin_of for p in priors] == [faces[1].face_id, None, None]


def test_proposals_are_decisions_by_screen_with_known_reasons() -> None:
    found = _mixed()
    made = propose(found, confidence=0.95, audit=0.2)
    assert made.decisions and made.audit
    assert all(d.decided_by is DecidedBy.SCREEN and d.status is Status.REJECTED for d in made.decisions)
    assert {d.reason for d in made.decisions} <= set(REASONS)
    assert not {d.face_id for d in made.decisions} & set(made.audit)
    sure = {p.face_id for p in found.priors if p.p_keep <= 0.05}
    assert {d.face_id for d in made.decisions} | set(made.audit) == sure


def test_the_audit_is_drawn_by_seed_and_never_empty() -> None:
    found = _mixed()
    assert propose(found, confidence=0.95, audit=0.01).audit == propose(found, confidence=0.95, audit=0.01).audit
    assert len(propose(found, confidence=0.95, audit=0.01).audit) == 1
    assert propose(found, confidence=0.95, audit=0).audit == ()


def test_side_a_proposes_strangers_only() -> None:
    made = propose(_mixed(Side.A), confidence=0.9, audit=0)
    assert {d.reason for d in made.decisions} == {"another_person"}


@pytest.mark.parametrize(("confidence", "audit"), [(0.5, 0.1), (1.1, 0.1), (0.99, 2.0)])
def test_unsafe_settings_are_refused(confidence: float, audit: float) -> None:
    with pytest.raises(ScreenError):
        propose(_mixed(), confidence=confidence, audit=audit)


def test_auc_of_perfect_and_of_no_order() -> None:
    truth = np.array([False, False, True, True])
    assert auc(np.array([0.1, 0.2, 0.8, 0.9]), truth) == 1
    assert auc(np.zeros(4), truth) == 0.5
    assert np.isnan(auc(np.zeros(2), np.ones(2, dtype=bool)))


def test_triage_counts_both_ways_of_being_wrong() -> None:
    found = triage(np.array([0.99, 0.99, 0.5, 0.01, 0.01]), np.array([True, False, True, True, False]), 0.05, 0.95)
    assert (found.decided, found.error, found.false_keeps, found.false_rejects) == (0.8, 0.4, 1, 1)


def test_calibration_mends_overconfidence() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random(400) < 0.7
    stated = np.where(rng.random(400) < 0.8, np.where(truth, 0.99, 0.01), np.where(truth, 0.01, 0.99))
    fitted = calibrate(stated, truth).apply(stated)
    assert calibration_error(fitted, truth) < 0.5 * calibration_error(stated, truth)


@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.booleans()), min_size=1, max_size=30))
def test_calibration_keeps_the_order(rows: list[tuple[float, bool]]) -> None:
    p = np.array([row[0] for row in rows])
    fit = calibrate(p, np.array([row[1] for row in rows]))
    assert (np.diff(fit.apply(np.sort(p))) >= -1e-12).all()


def test_few_answers_change_little() -> None:
    fit = calibrate(np.array([0.9]), np.array([False]))
    assert fit.apply(np.array([0.9]))[0] > 0.5
