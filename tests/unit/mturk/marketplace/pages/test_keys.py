"""Keys of the pages that are answered: chosen by whoever answers, kept in the browser, told to the page."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from galloway.mturk.marketplace.pages.keys import DOES, SETS, own_keys, taken_keys

OWN = dict(zip((f"key-{name}" for name in DOES), "qwertyasdf", strict=True))


def frame_of(worker: FlaskClient) -> str:
    found = re.search(r'<iframe[^>]*src="([^"]*)"', worker.get("/projects/3GROUP1/tasks").text)
    assert found is not None
    return found[1]


def test_the_usual_keys_need_no_word(worker: FlaskClient) -> None:
    assert "keys=" not in frame_of(worker)
    assert taken_keys("") == taken_keys("nonsense") == ""


@pytest.mark.parametrize("chosen", [{"keys": "left"}, {"keys": "own", **OWN}], ids=["left", "own"])
def test_chosen_keys_reach_the_page_and_can_be_given_up(worker: FlaskClient, chosen: dict[str, str]) -> None:
    assert worker.post("/settings/keys", data=chosen).status_code == 303
    keys = "qwertyasdf" if "key-first" in chosen else SETS["left"]
    assert f"keys={keys}" in frame_of(worker)
    assert "die erste Antwort" in worker.get("/settings/keys", headers={"Accept-Language": "de"}).text
    worker.post("/settings/keys", data={"keys": ""})
    assert "keys=" not in frame_of(worker)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"key-rest": "q"}, "The key Q is there twice"),
        ({"key-how": ""}, "one letter or sign"),
        ({"key-large": "7"}, "The digits stay"),
    ],
)
def test_keys_that_do_not_do_are_said(worker: FlaskClient, change: dict[str, str], told: str) -> None:
    answer = worker.post("/settings/keys", data={"keys": "own", **OWN, **change})
    assert answer.status_code == 400 and told in answer.text
    assert own_keys(OWN | change)[1]
    assert "keys=" not in frame_of(worker)


def test_a_cookie_that_is_no_choice_counts_as_none(worker: FlaskClient) -> None:
    worker.set_cookie("keys_choice", "%22%3Eaaaaaaaa")
    assert "keys=" not in frame_of(worker)


def test_chosen_colours_reach_the_page_too(worker: FlaskClient) -> None:
    assert "theme=" not in frame_of(worker), "without a choice it is the browser's"
    worker.set_cookie("theme_choice", "dark")
    assert "theme=dark" in frame_of(worker)
    worker.set_cookie("theme_choice", "pink")
    assert "theme=" not in frame_of(worker)
