"""A project's settings in the browser: shown with what they amount to, written as a person's own lines stay."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from galloway.mturk.marketplace.pages.words import Spoken
from galloway.pipeline.app import App
from galloway.pipeline.stages.configure import GROUPS
from galloway.pipeline.web import Door, create_web_app
from galloway.pipeline.web.opened import open_workspace
from galloway.pipeline.workspace.acts import acts
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.team import Role, add_member

PAGE = "/project-settings"
KEYS = [choice.key for _, choices in GROUPS for choice in choices]


@pytest.fixture
def app(site: Flask) -> App:
    with site.app_context():
        return open_workspace()


def fields(page: str) -> dict[str, str]:
    """What a browser would send of the form as it is."""
    found = {name: value for name, value in re.findall(r'name="([\w.-]+)" value="([^"]*)"', page) if name != "look"}
    for name, options in re.findall(r'<select name="([\w.]+)">(.*?)</select>', page):
        chosen = re.search(r'value="([^"]*)" selected', options)
        assert chosen is not None, name
        found[name] = chosen[1]
    return found


def changed(page: str, **values: str) -> dict[str, str]:
    return fields(page) | {name.replace("__", "."): value for name, value in values.items()}


def test_every_setting_is_a_field_and_nothing_changed_writes_nothing(client: FlaskClient, app: App) -> None:
    config = app.workspace.root / "galloway.toml"
    before = config.read_bytes()
    form = fields(client.get(PAGE).text)
    assert {*KEYS, *(f"seen-{key}" for key in KEYS)} == form.keys()
    assert (form["ask.faces_per_hit"], form["ask.audit_share"]) == ("5", ""), "what nobody set is not set by a look"
    assert "Nothing was changed." in client.post(PAGE, data=form, follow_redirects=True).text
    assert config.read_bytes() == before and acts(app.workspace) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("local", ["marketplace of this workspace", "<code>local</code>", "not running now"]),
        ("https://work.example.org/api", ["where they cost money", "<code>https://work.example.org/api</code>"]),
        ("aws", ["https://mturk-requester.us-east-1.amazonaws.com", "https://worker.mturk.com", "AWS announced"]),
        ("elsewhere", ["is not a market"]),
    ],
)
def test_the_page_says_where_hits_go(client: FlaskClient, app: App, name: str, told: list[str]) -> None:
    config = app.workspace.root / "galloway.toml"
    config.write_text(config.read_text() + f'\n[market]\nname = "{name}"\n')
    page = client.get(PAGE)
    assert page.status_code == 200
    assert [text for text in told if text not in page.text] == []


def test_the_figures_come_first_and_what_is_kept_stands_in_the_file(client: FlaskClient, app: App) -> None:
    config = app.workspace.root / "galloway.toml"
    text = re.sub(r"(?m)^(reward|# budget).*\n", "", config.read_text())
    config.write_text(text.replace("[ask]", '[ask]\nreward = "0.15" # as agreed with Ann\n# budget = "1"'))
    page = client.get(PAGE).text
    assert "$54.00" in page and "no budget" in page
    form = changed(page, ask__reward="0,30", ask__budget="25", ask__learn="yes", gold__share="0.1")
    look = client.post(PAGE, data=form | {"look": "yes"}).text
    assert "$54.00 now, then" in look and "$108.00" in look and "Nothing is kept yet" in look
    assert 'value="0,30"' in look and fields(look)["seen-ask.reward"] == "0.15", "it goes on from what was seen"
    assert "as agreed" in config.read_text() and acts(app.workspace) == []
    assert client.post(PAGE, data=fields(look)).status_code == 303
    written = config.read_text()
    assert 'reward = "0.30" # as agreed with Ann\n' in written and '# budget = "1"\n' in written
    settings = Workspace.open(app.workspace.root).settings
    assert (str(settings.ask.budget), settings.ask.learn, settings.gold.share) == ("25", True, 0.1)
    rows = {row.what: row.figure for row in acts(app.workspace, kind="settings")}
    assert rows == {
        "ask.reward": "0.15 → 0.30", "ask.budget": "none → 25", "ask.learn": "no → yes", "gold.share": "0.05 → 0.1",
    }  # fmt: skip
    again = client.get(PAGE).text
    assert "of $25.00" in again
    client.post(PAGE, data=changed(again, ask__budget=""))
    assert Workspace.open(app.workspace.root).settings.ask.budget is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"ask__reward": "0"}, "has to be more than 0"),
        ({"ask__reward": "1001"}, "has to be at most 1000"),
        ({"ask__votes": "2.5"}, "no whole number"),
        ({"ask__votes": "three"}, "is no number"),
        ({"ask__votes": "1e3"}, "is no number"),
        ({"ask__budget": "-1"}, "is no number"),
        ({"ask__promise": "1"}, "has to be less than 1"),
        ({"engine__name": "/bin/sh"}, "is none of auto, embedded, faceswap"),
        ({"engine__min_face": "3"}, "has to be at least 8"),
    ],
)
def test_what_the_reader_would_refuse_is_named_and_stays(
    client: FlaskClient, app: App, values: dict[str, str], said: str
) -> None:
    before = (app.workspace.root / "galloway.toml").read_bytes()
    form = changed(client.get(PAGE).text, ask__max_votes="9", **values)
    answer = client.post(PAGE, data=form)
    assert answer.status_code == 400 and said in answer.text
    assert 'value="9"' in answer.text, "what was written is still there"
    assert (app.workspace.root / "galloway.toml").read_bytes() == before


def test_two_people_do_not_undo_each_other(client: FlaskClient, app: App) -> None:
    mine = changed(client.get(PAGE).text, ask__votes="4")
    client.post(PAGE, data=changed(client.get(PAGE).text, ask__votes="5", ask__max_votes="9"))
    answer = client.post(PAGE, data=mine)
    assert answer.status_code == 400 and "changed it meanwhile" in answer.text
    client.post(PAGE, data=changed(client.get(PAGE).text, ask__reward="0.2"))
    ask = Workspace.open(app.workspace.root).settings.ask
    assert (ask.votes, ask.max_votes, str(ask.reward)) == (5, 9, "0.2")


def test_what_the_environment_says_is_not_offered(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, app: App
) -> None:
    before = client.get(PAGE).text
    monkeypatch.setenv("GALLOWAY_ASK__VOTES", "5")
    page = client.get(PAGE).text
    assert "GALLOWAY_ASK__VOTES in the environment" in page and "seen-ask.votes" not in page
    answer = client.post(PAGE, data=changed(before, ask__votes="6"))
    assert answer.status_code == 400 and "Unset it first" in answer.text


def test_others_look_and_the_owner_changes(workspace: Workspace) -> None:
    site = create_web_app(workspace, door=Door(workspace.root, token="token"))
    add_member(workspace.root, "Ann", Role.SPEND, "ann's long password")
    ann, owner = site.test_client(), site.test_client()
    ann.post("/sign-in", data={"name": "Ann", "password": "ann's long password"})
    owner.get("/?token=token")
    page = ann.get(PAGE).text
    assert "The owner changes them." in page and 'class="main"' not in page.partition("<main")[2]
    form = changed(owner.get(PAGE).text, ask__budget="1000")
    assert ann.post(PAGE, data=form).status_code == 403
    assert owner.post(PAGE, data=form).status_code == 303
    assert acts(workspace, kind="settings")[0].figure == "none → 1000"


def test_every_setting_is_told_in_german() -> None:
    told = Spoken("de")
    texts = [text for title, choices in GROUPS for text in (title, *(t for c in choices for t in (c.label, c.about)))]
    assert [text for text in texts if told.said(text) == text] == ["Budget", "Engine"], "as in English"
