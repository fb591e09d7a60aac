"""A person's settings: kept with the team or in the browser; pages in German hold no English; keys are chosen."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from galloway.curation.types import Side
from galloway.pipeline.errors import PipelineError
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.door import Door
from galloway.pipeline.web.keys import SETS, keys_of, own_keys
from galloway.pipeline.web.studio import Studio
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.team import Role, add_member, members

from tests.support.acting import acting_site
from tests.support.web import empty_workspace, face_id

from .test_pages import FULL_ONLY, PAGES

GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
OTHERS = (
    "/footage", "/publish", "/merge", "/people", "/recruits/", "/jobs", "/team/log", "/components", "/projects",
    "/projects/new", "/pictures", "/review", "/settings", "/mask/a/clip", "/judge/clip-swapped.mp4", "/nothing-here",
    "/workers/appeals", "/report/document", "/faces?status=nonsense", "/faces?side=a&person=x",
)  # fmt: skip
ENGLISH = re.compile(
    r"\b(the|and|of|is|are|not|with|no|this|that|what|for|from|were|you|your|it|its|by|to|at|or|who|yet|there|has|have|"
    r"nothing|nobody|until|only|been|which|when|where|faces?|votes?|workers|answers?|pages|decided|approved|rejected|"
    r"disputed|undecided|keep|reject|batch|round|side|costs?)\b",
    re.IGNORECASE,
)
NAMES = re.compile(
    r"(?<!\S)/\S+|side-by-side|yes-no|faces/|abc123-a-usable|DE, AT, CH|[\w/.-]+\.(?:json|mp4|png)\b|000000-\S+"
    r"|face-\S+"
)
"""What is no German and stays: names of files, pages and batches."""
OWN = {"key-keep": "f", "key-reject": "d", "key-all": "a", "key-large": "s", "key-like": "e", "key-undo": "w"}


class Texts(HTMLParser):
    """What a page says, but for commands, logs and scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._within = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within += tag in ("script", "style", "code", "pre", "textarea")
        self.found += [value for name, value in attrs if value and name in ("title", "alt", "aria-label", "data-name")]

    def handle_endtag(self, tag: str) -> None:
        self._within -= tag in ("script", "style", "code", "pre", "textarea")

    def handle_data(self, data: str) -> None:
        if not self._within:
            self.found.append(" ".join(data.split()))


def english(html: str) -> Iterator[str]:
    page = Texts()
    page.feed(html)
    for text in page.found:
        if ENGLISH.search(NAMES.sub("", text)):
            yield text


@pytest.fixture(scope="module")
def full(built: Workspace) -> FlaskClient:
    return create_web_app(built).test_client()


@pytest.mark.parametrize("path", [*PAGES, *FULL_ONLY, *OTHERS])
def test_a_page_in_german_says_nothing_in_english(full: FlaskClient, path: str) -> None:
    full.get(path)  # compiled for a reader of English
    page = full.get(path, headers=GERMAN)
    if "part=" not in path:
        assert '<html lang="de">' in page.text, page.status
    assert list(english(page.text)) == []


@pytest.mark.parametrize("path", [*PAGES, "/publish", "/merge", "/footage"])
def test_an_empty_workspace_speaks_german_too(tmp_path: Path, path: str) -> None:
    client = create_web_app(empty_workspace(tmp_path / "ws")).test_client()
    assert list(english(client.get(path, headers=GERMAN).text)) == []


def test_numbers_and_dates_are_written_as_the_language_does(full: FlaskClient) -> None:
    page = full.get("/training", headers=GERMAN).text
    assert "Verlust A 0,0528" in page
    assert "22. Nov. 2026, 09:00" in full.get("/batches", headers=GERMAN).text
    assert "22 Nov 2026, 09:00" in full.get("/batches").text


def test_the_studio_and_its_door_speak_german(tmp_path: Path) -> None:
    studio = Studio(tmp_path / "projects", hosts=None)
    client = studio.list_app.test_client()
    assert "Öffne den Link, den galloway studio geschrieben hat." in client.get("/", headers=GERMAN).text
    client.get(f"/?token={studio.token}")
    for path in ("/", "/machine", "/settings"):
        page = client.get(path, headers=GERMAN).text
        assert '<html lang="de">' in page and "Dieser Rechner" in page
    assert "Ein Projekt braucht einen Namen" in client.post("/projects", data={"name": ""}, headers=GERMAN).text
    assert client.post("/settings", data={"language": "en", "keys": ""}).status_code == 303
    assert '<html lang="en">' in client.get("/", headers=GERMAN).text


def test_a_choice_stands_above_the_browsers(full: FlaskClient) -> None:
    chosen = {"language": "de", "theme": "dark", "type": "large", "keys": "left"}
    page = full.post("/settings", data=chosen, follow_redirects=True).text
    assert '<html lang="de" data-theme="dark" data-type="large">' in page
    assert "Deine Einstellungen sind gespeichert." in page
    assert "j das Gesicht behalten" in full.get("/faces").text
    full.post("/settings", data={"language": "xx", "theme": "pink", "type": "", "keys": "nonsense"})
    page = full.get("/faces", headers={"Accept-Language": "fr"}).text
    assert '<html lang="en">' in page and "k keep the face" in page
    assert "Set-Cookie" not in full.get("/settings").headers, "looking changes nothing"


def test_a_members_settings_come_along_to_another_browser(workspace: Workspace) -> None:
    add_member(workspace.root, "Ann", Role.LOOK, "correct horse battery")
    app = create_web_app(workspace, door=Door(workspace.root))
    here, there = app.test_client(), app.test_client()
    for client in (here, there):
        client.post("/sign-in", data={"name": "Ann", "password": "correct horse battery"})
    assert here.post("/settings", data={"language": "de", "theme": "light", "keys": "own", **OWN}).status_code == 303
    page = there.get("/faces").text
    assert '<html lang="de" data-theme="light">' in page
    assert 'name="key-keep" value="f"' in there.get("/settings").text
    assert dict(members(workspace.root)[0].choices) == {"language": "de", "theme": "light", "keys": "fdasew"}
    add_member(workspace.root, "Ann", Role.LOOK, "another horse battery")
    assert members(workspace.root)[0].choices["keys"] == "fdasew", "a new password changes no settings"


def test_keys_that_cannot_be_are_refused_with_a_sentence(full: FlaskClient) -> None:
    for wrong, why in [
        ({"key-all": "f"}, "Die Taste f gibt es zweimal, für „das Gesicht behalten“ und „alle markieren“"),
        ({"key-like": "3"}, "Die Ziffern sind die Antworten"),
        ({"key-undo": ""}, "„zurücknehmen“ braucht eine Taste"),
    ]:
        answer = full.post("/settings", data={"language": "de", "keys": "own", **OWN, **wrong}, headers=GERMAN)
        assert answer.status_code == 400 and why in answer.text
        assert 'value="own" checked' in answer.text and 'value="d"' in answer.text, "what was written is still there"
    assert "k keep the face" in full.get("/settings").text


def test_the_grid_brings_the_chosen_keys_along(full: FlaskClient) -> None:
    face = f"/faces?status=all&like={face_id(Side.A, 0)}"
    assert "data-keys='{&#34;" in full.get("/faces").text or 'data-keys=\'{"all"' in full.get("/faces").text
    full.post("/settings", data={"keys": "own", **OWN})
    assert '"keep": "f"' in full.get("/faces").text
    full.post("/settings", data={"keys": ""})
    assert full.get(face).status_code in (200, 400)


def test_every_set_of_keys_is_one_that_could_be_chosen() -> None:
    for name, keys in SETS.items():
        assert own_keys(keys) == "".join(keys.values())
        assert keys_of(name) == dict(keys)
    assert keys_of("fdasew")["undo"] == "w"
    assert keys_of("ffffff") == keys_of("garbage and more") == dict(SETS[""])
    with pytest.raises(PipelineError, match="one letter or sign"):
        own_keys({})


def test_why_a_job_failed_is_said_in_the_readers_language(workspace: Workspace) -> None:
    folder = workspace.path("jobs", "20261122-090500-0a0b0c", "job.json").parent
    folder.mkdir(parents=True, exist_ok=True)
    asked = {"kind": "train", "choices": {}, "files": [], "by": "Ann", "started_at": "2026-11-22T09:05:00+00:00"}
    (folder / "job.json").write_text(json.dumps(asked))
    (folder / "ended.json").write_text(json.dumps({"code": 1, "at": "2026-11-22T09:06:00+00:00"}))
    why = "Memory ran out with 64 faces a batch; the last save stands. Go on with fewer: galloway train --batch-size 32"
    (folder / "log.txt").write_text(f"galloway train\nError: {why}\n")
    page = create_web_app(workspace).test_client().get(f"/jobs/{folder.name}", headers=GERMAN).text
    assert "Es ist gescheitert. Der Speicher reichte nicht für 64 Gesichter auf einmal" in page


def test_a_page_of_the_review_has_the_chosen_colours(tmp_path: Path) -> None:
    with acting_site(tmp_path / "ws") as site:
        client = site.test_client()
        client.post("/review/name", data={"by": "Ann"})
        assert '<html lang="en" data-keys="">' in client.get("/review").text, "the browser's, without a choice"
        client.post("/settings", data={"theme": "dark", "keys": ""})
        assert '<html lang="en" data-keys="" data-theme="dark">' in client.get("/review").text
