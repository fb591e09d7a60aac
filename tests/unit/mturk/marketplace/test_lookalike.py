"""Names that cannot be told apart on a list; and that distinct ones stay distinct."""

from __future__ import annotations

import itertools

import pytest
from galloway.mturk.marketplace.rules.lookalike import skeleton


@pytest.mark.parametrize(
    ("name", "forged"),
    [
        ("Ann Lee", "Аnn Lee"), ("Ann Lee", "Ann  Lее"), ("paypal", "раураl"), ("Bob", "B0b"),
        ("Ian", "lan"), ("Ian", "1an"),
        ("Maria", "Μαrιa"), ("modern", "modem"), ("Ann", "A​nn"), ("Ann", "Ａｎｎ"), ("Wim", "VVim"),
    ],
)  # fmt: skip
def test_look_alikes_are_one(name: str, forged: str) -> None:
    assert name != forged
    assert skeleton(name) == skeleton(forged)


def test_other_names_stay_others() -> None:
    names = [
        "Ann",
        "Anna",
        "Ann Lee",
        "Ben",
        "José",
        "Иван",
        "Ольга",
        "山田",
        "Müller",
        "w2",
        "w3",
        "careful-3",
        "average-3",
    ]
    for one, other in itertools.combinations(names, 2):
        assert skeleton(one) != skeleton(other), (one, other)
