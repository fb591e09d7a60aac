"""A review alone in the browser: the page that was sent last is taken back once, however often the button is sent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from galloway.pipeline.app import App
from galloway.pipeline.web import create_web_app

from tests.support.workspace import built_app

_SETTINGS = """
[ask]
faces_per_hit = 6
learn = false

[side_a]
questions = ["usable", "identity"]

[side_b]
questions = ["usable", "identity"]
"""


@pytest.fixture
def app(tmp_path: Path) -> App:
    return built_app(tmp_path / "ws", faces=12, settings=_SETTINGS)


def answered(client: FlaskClient, rest: str) -> str:
    """Send the page that is open; its address."""
    html = client.get("/review").text
    (action,) = set(re.findall(r'action="(/review/page/[^"]+)"', html))
    assert client.post(action, data={"rest": rest}).status_code == 303
    return action


def back_button(client: FlaskClient) -> str:
    """Where the button leads that takes the last page back; "" without one."""
    return "".join(re.findall(r'action="(/review/back[^"]*)"', client.get("/review").text))


def test_a_page_is_taken_back_once_and_opens_as_it_was_sent(app: App) -> None:
    client = create_web_app(app.workspace).test_client()
    client.post("/review/name", data={"by": "Ann"})
    assert back_button(client) == "", "nothing was sent yet"
    votes = [0]
    for _ in range(3):
        last = answered(client, "keep")
        votes.append(app.store.count_votes())
    button = back_button(client)
    for _ in range(2):
        answer = client.post(button)
        assert (answer.status_code, answer.location) == (303, "/review"), "so a reload asks for the page only"
        assert app.store.count_votes() == votes[2]
    page = client.get("/review").text
    assert f'action="{last}"' in page
    assert 'name="rest" value="keep" checked' in page
    client.post(back_button(client))
    assert app.store.count_votes() == votes[1]
    assert client.post("/review/back").status_code == 303
    assert app.store.count_votes() == votes[1], "a button that names no page takes none back"
