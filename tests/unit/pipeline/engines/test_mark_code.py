"""Forty bits as chips: every payload comes back, at any shift, through noise; what is no mark is none."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.pipeline.engines.mark_code import BITS, TILE, mark_name, payload_of, shift_of, tile
from hypothesis import given
from hypothesis import strategies as st

payloads = st.integers(0, 2**BITS - 1)
places = st.integers(0, TILE - 1)


@given(payloads, places, places)
def test_a_payload_comes_back_wherever_the_tile_begins(payload: int, down: int, across: int) -> None:
    moved = np.roll(tile(payload), (down, across), (0, 1))
    score, shift = shift_of(moved)
    assert shift == (down, across) and score > 15
    assert payload_of(moved, shift) == payload


@given(payloads, st.integers(0, 2**32 - 1))
def test_it_comes_back_through_noise_twice_as_strong(payload: int, seed: int) -> None:
    noisy = tile(payload) + np.random.default_rng(seed).normal(0, 2, (TILE, TILE))
    score, shift = shift_of(noisy)
    assert score > 6 and payload_of(noisy, shift) == payload


def test_noise_spells_nothing_and_stands_out_of_chance_nowhere() -> None:
    rng = np.random.default_rng(7)
    for _ in range(300):
        noise = rng.normal(0, 1, (TILE, TILE))
        score, shift = shift_of(noise)
        assert score < 6 and payload_of(noise, shift) is None


def test_of_random_words_the_checksum_lets_through_hardly_any() -> None:
    """Where shift and size are right but the words are noise, only the checksum is left."""
    rng, through = np.random.default_rng(3), 0
    for _ in range(1000):
        through += payload_of(rng.normal(0, 1, (TILE, TILE)), (0, 0)) is not None
    assert through == 0


def test_the_layout_is_the_same_for_ever() -> None:
    """Films that are out there must be read by every later release."""
    chips = tile(0x123456789A) > 0
    assert np.packbits(chips[:2]).tobytes().hex() == LAYOUT


LAYOUT = "b2c7177a9c8ebb70af91e238e40910a4"


@pytest.mark.parametrize(("payload", "name"), [(0, "0000000000"), (2**BITS - 1, "ffffffffff"), (171, "00000000ab")])
def test_names(payload: int, name: str) -> None:
    assert mark_name(payload) == name
