"""From embeddings to the same person or not."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.screen.identity import TwoParts, match, match_members, person_groups
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.screen import crowd, people


def _set(sizes: list[int], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors, person of each, centres."""
    centres = people(len(sizes), seed)
    parts = [crowd(centre, size, seed + 10 + i) for i, (centre, size) in enumerate(zip(centres, sizes, strict=True))]
    return np.concatenate(parts), np.repeat(np.arange(len(sizes)), sizes), centres


@pytest.mark.parametrize("sizes", [[40, 10, 10, 5], [6, 60, 20], [3, 90]])
def test_a_reference_finds_its_person_even_in_the_minority(sizes: list[int]) -> None:
    vectors, person, centres = _set(sizes)
    reference = crowd(centres[0], 1, 99, spread=0.3)
    found = match(vectors, reference, np.ones(len(vectors), dtype=bool))
    assert (found.p_same[person == 0] > 0.9).all()
    assert (found.p_same[person != 0] < 0.1).all()
    assert set(found.seeds.tolist()) <= set(np.flatnonzero(person == 0).tolist())


def test_a_lookalike_majority_is_not_drawn_in() -> None:
    """A small group and a large one 0.5 apart, as some people are for dlib: the large one stays another person."""
    centre = people(1)[0]
    other = centre + 0.5 * people(2, 5)[1] / np.linalg.norm(people(2, 5)[1])
    vectors = np.concatenate([crowd(centre, 6, 1, 0.15), crowd(other.astype(np.float32), 90, 2, 0.15)])
    found = match(vectors, crowd(centre, 1, 3, 0.15), np.ones(96, dtype=bool))
    assert found.p_same[:6].min() > 0.5 > found.p_same[6:].max()


def test_an_absent_person_is_nobody() -> None:
    vectors, _, _ = _set([30, 20])
    found = match(vectors, people(4, 7)[3:], np.ones(50, dtype=bool))
    assert found.belief < 0.05
    assert found.p_same.max() < 0.05


def test_only_clear_faces_stand_for_the_person() -> None:
    vectors, person, centres = _set([30, 30])
    clear = np.ones(60, dtype=bool)
    clear[:10] = False
    found = match(vectors, centres[:1], clear)
    assert not set(found.seeds.tolist()) & set(range(10))
    assert (found.p_same[person == 0] > 0.9).all()


def test_groups_count_clear_faces_only() -> None:
    """The blurred majority, all alike, must not be taken for the main person."""
    vectors, _, _ = _set([20, 80])
    clear = np.arange(100) < 25
    groups = person_groups(vectors, clear)
    assert set(groups[0].members.tolist()) == set(range(20))
    assert groups[0].weight == pytest.approx(0.8)


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_the_order_of_faces_does_not_matter(seed: int) -> None:
    vectors, _, centres = _set([15, 25])
    clear = np.random.default_rng(5).random(40) > 0.1
    order = np.random.default_rng(seed).permutation(40)
    one = match(vectors, centres[:1], clear).p_same
    other = match(vectors[order], centres[:1], clear[order]).p_same
    assert np.allclose(one[order], other, atol=1e-6)


def test_members_are_not_compared_with_themselves() -> None:
    vectors, _, _ = _set([20, 20])
    found = match_members(vectors, np.arange(20), np.ones(40, dtype=bool))
    assert found.distance[:20].min() > 0.05


@given(st.floats(0.05, 0.5), st.floats(0.05, 0.075), st.floats(0.1, 0.2), st.floats(0.02, 0.98))
def test_the_posterior_never_rises_with_distance(near: float, narrow: float, wide: float, share: float) -> None:
    scores = np.linspace(0, 1.2, 200)
    p = TwoParts((near, 0.75), (narrow, wide), share).posterior(scores)
    assert (np.diff(p) <= 1e-9).all()
    assert p.min() >= 0.002 - 1e-12 and p.max() <= 0.998 + 1e-12
