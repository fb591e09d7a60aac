"""Names: letters of the world stay, and as many names come out as went in."""

from __future__ import annotations

import unicodedata

import pytest
from galloway.curation.files import check_name
from galloway.pipeline.stages.names import MOST_BYTES, clean_name, folded, in_order, unique_names
from hypothesis import given
from hypothesis import strategies as st

SCRIPTS = "aZéßıİŒ爱丽丝照片写真사진фотоεικόναصورةनमस्तेไทยㄅ𠀀١٢３ﬁⅣ"
ODD = "'\"`-–_. ()[]{}<>|?*:;,!@#$%^&+=~\t\n\u200d\u202e\udce4/\\"
NAMES = st.text(st.sampled_from(SCRIPTS + ODD) | st.characters(), max_size=300)


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("照片", "照片"),
        ("صورة", "صورة"),
        ("नमस्ते", "नमस्ते"),
        ("εικόνα", "εικόνα"),
        ("My clip (1)", "My-clip-1"),
        ("-rf", "rf"),
        ("a_b", "a-b"),
        ("...", "source"),
        ("NUL", "source-NUL"),
        ("cafe\u0301", "café"),
    ],
)
def test_letters_stay_and_the_rest_becomes_a_hyphen(given_name: str, kept: str) -> None:
    assert clean_name(given_name) == kept


@given(st.lists(NAMES, max_size=12))
def test_as_many_names_come_out_as_went_in(texts: list[str]) -> None:
    names = unique_names(texts)
    assert len({folded(name) for name in names}) == len(texts)
    for name in names:
        assert check_name(f"{name}_000001_0.png", where="a test")
        assert len(name.encode()) <= MOST_BYTES + 8
        assert "_" not in name
        assert not name.startswith(("-", "."))
        assert unicodedata.normalize("NFC", name) == name


def test_frames_that_are_numbered_without_zeros_keep_their_order() -> None:
    assert in_order(["shot_1", "shot_10", "shot_2"]) == ["shot_01", "shot_10", "shot_02"]
    for others in (["shot_1", "take_10"], ["shot_1", "end"], ["a", "b"], []):
        assert in_order(others) == others


def test_long_names_that_differ_at_their_end_stay_apart() -> None:
    one, two = clean_name("照" * 235 + "1"), clean_name("照" * 235 + "2")
    assert one != two
    assert max(len(one.encode()), len(two.encode())) <= MOST_BYTES
