"""Pictures with a warning, on the real marketplace and in a browser: who opted in sees blurred bytes and taps; who did
not sees no page. And the requester's page of what is held back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from galloway.curation.types import Side
from galloway.mturk.marketplace.app import open_store
from galloway.mturk.marketplace.desk.work import Work
from galloway.pipeline.app import App
from galloway.pipeline.gate.words import say_of
from galloway.pipeline.market.local import local_config, serve_market
from galloway.pipeline.market.media import file_key
from galloway.pipeline.market.pictures import picture_id, reference_key
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.gated import Known, Word, keep_scores
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.support.judged import film_app
from tests.support.projects import done, market
from tests.support.served import served
from tests.support.workspace import built_app, galloway

WIDTHS = ({"width": 1280, "height": 860}, {"width": 390, "height": 844})


def unsuspicious(app: App) -> None:
    """The model's word does not depend on made noise."""
    keys = [str(face.face_id) for face in app.store.faces()]
    keys += [picture_id(app.workspace, reference_key(side, "person.jpg")) for side in Side]
    keep_scores(app.workspace, dict.fromkeys(keys, 0.01), dict.fromkeys(keys, Known("", "face")))


def test_only_who_asked_for_such_pictures_gets_the_page(tmp_path: Path) -> None:
    app = built_app(tmp_path / "w", faces=6)
    unsuspicious(app)
    first = app.store.faces(Side.A)[0].face_id
    say_of(app, [first], Word.WARN)
    sent = galloway(app, "publish", "--side", "a", "--yes", "--json")
    assert sent.returncode == 0, sent.stderr
    assert len(json.loads(sent.stdout)) == 2
    with market(app) as client:
        hits = client.list_hits()["HITs"]
        (warned,) = [hit for hit in hits if "sexual or violent" in hit["Title"]]
        needs = {need["Comparator"]: need for need in warned["QualificationRequirements"]}
        need = needs["Exists"]
        assert client.get_qualification_type(QualificationTypeId=need["QualificationTypeId"])["QualificationType"][
            "AutoGranted"
        ]
        assert (need["Comparator"], need["ActionsGuarded"]) == ("Exists", "PreviewAndAccept")
        assert warned["Description"].startswith("Warning: pictures may be sexual or violent.")
        others = [need for hit in hits if hit is not warned for need in hit["QualificationRequirements"]]
        assert need["QualificationTypeId"] not in {other["QualificationTypeId"] for other in others}


@contextmanager
def joined(app: App, browser: Browser, name: str, size: dict[str, int]) -> Iterator[tuple[Page, str]]:
    """A worker of the running marketplace, signed in, and the worker site's address."""
    store = open_store(local_config(app.workspace))
    with serve_market(app.workspace) as running:
        context = browser.new_context(viewport=size)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{running.addresses.worker}/join/{Work(store).invite().token}")
        page.get_by_label("Choose a name").fill(name)
        page.get_by_label("Choose a password").fill("correct horse")
        page.get_by_role("button", name="Join").click()
        page.wait_for_selector("text=Welcome")
        yield page, running.addresses.worker
        context.close()
    store.close()


def clean(page: Page) -> list[str]:
    return [item["id"] for item in Axe().run(page).response["violations"]]


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("size", WIDTHS, ids=["desk", "phone"])
def test_a_worker_opts_in_and_taps(tmp_path: Path, browser: Browser, size: dict[str, int]) -> None:
    app = built_app(tmp_path / "w", faces=6)
    unsuspicious(app)
    say_of(app, [face.face_id for face in app.store.faces(Side.A)[:3]], Word.WARN)
    with joined(app, browser, "ann", size) as (page, site):
        assert galloway(app, "publish", "--side", "a", "--yes").returncode == 0
        fetched: list[str] = []
        page.on("response", lambda answer: fetched.append(answer.url))
        page.goto(site)
        page.get_by_role("link", name="may be sexual or violent").first.click()
        expect(page.get_by_text("You cannot do this yet")).to_be_visible()
        assert not [url for url in fetched if "/images/" in url]
        page.get_by_role("link", name="Pictures that may be sexual or violent").first.click()
        page.get_by_role("button", name="Ask for it").click()
        page.goto(site)
        page.get_by_role("link", name="may be sexual or violent").first.click()
        page.get_by_role("button", name="Accept").first.click()
        page.wait_for_url("**/work/*")
        frame = page.frame_locator("#task")
        first = frame.locator(".face").first
        expect(first.locator("a.show")).to_be_visible()
        assert "blurred" in (first.locator("img.it").get_attribute("alt") or "")
        assert clean(page) == []
        document = next(item for item in page.frames if item.url.startswith("http") and item is not page.main_frame)
        assert document.evaluate("document.documentElement.scrollWidth <= innerWidth")
        clear = document.evaluate("document.querySelector('a.show').href")
        assert clear not in fetched, "the clear bytes are not fetched before the tap"
        first.locator("a.show").click()
        expect(first.locator("a.show")).to_have_count(0)
        page.wait_for_timeout(300)
        assert clear in fetched
        assert first.get_attribute("data-mark") is None, "a tap that shows marks nothing"
        expect(frame.locator("a.show")).to_have_count(2)


@pytest.mark.browser
@pytest.mark.slow
def test_the_requester_looks_and_decides(tmp_path: Path, browser: Browser) -> None:
    app = built_app(tmp_path / "w", faces=6)
    unsuspicious(app)
    first, second = (face.face_id for face in app.store.faces(Side.A)[:2])
    keep_scores(app.workspace, {first: 0.93, second: 0.85}, {first: Known("", "face"), second: Known("", "face")})
    app.workspace.db.dispose()
    with served(app.workspace) as (link, _):
        for size in WIDTHS:
            context = browser.new_context(viewport=size)  # type: ignore[arg-type]
            page = context.new_page()
            fetched: list[str] = []
            page.on("request", lambda asked, fetched=fetched: fetched.append(asked.url))
            page.goto(link)
            page.get_by_role("link", name="held back from workers").click()
            expect(page.get_by_role("heading", name="Pictures that workers may not see yet")).to_be_visible()
            assert clean(page) == []
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert [url for url in fetched if url.endswith("/blurred")]
            assert not [url for url in fetched if url.endswith("/clear")], "nothing clear before it is opened"
            page.locator("summary").first.click()
            page.wait_for_timeout(300)
            assert len([url for url in fetched if url.endswith("/clear")]) == 1
            assert clean(page) == []
            if size is WIDTHS[-1]:
                page.locator(f"#p-{first}").get_by_label("keep it out").check()
                page.get_by_role("button", name="Decide on these").click()
                expect(page.get_by_role("status")).to_have_text("1 picture decided.")
                expect(page.locator(f"#p-{first} .tag")).to_have_text("kept out")
            context.close()


_PAGE = """<!DOCTYPE html><html lang="en"><head><title>Birds</title></head><body><main><h1>Birds</h1>
<p>Is it a bird?</p><img src="${picture}" alt="the picture" width="200">
<label><input type="radio" name="answer" value="yes" required> yes</label></main></body></html>"""


@pytest.fixture
def birds(tmp_path: Path) -> tuple[App, tuple[str, ...]]:
    """A project of three pictures, and the command that publishes it."""
    workspace, _ = make_workspace(tmp_path / "ws")
    app, folder = App(workspace), tmp_path / "pictures"
    folder.mkdir()
    for name, colour in (("one", "red"), ("two", "green"), ("three", "blue")):
        Image.new("RGB", (80, 60), colour).save(folder / f"{name}.jpg")
    (tmp_path / "birds.html").write_text(_PAGE, encoding="utf-8")
    (tmp_path / "birds.csv").write_text("picture\none.jpg\ntwo.jpg\nthree.jpg\n", encoding="utf-8")
    terms = ("--title", "Is it a bird?", "--reward", "0.05", "--assignments", "1", "--seconds", "20")
    done(app, "new", "birds", "--template", str(tmp_path / "birds.html"), *terms)
    return app, ("publish", "birds", str(tmp_path / "birds.csv"), "--media", str(folder))


def test_a_table_with_a_held_picture_is_not_sent_before_a_word(
    birds: tuple[App, tuple[str, ...]], tmp_path: Path
) -> None:
    app, publish = birds
    folder = tmp_path / "pictures"
    done(app, *publish, "--dry-run")
    key = file_key(folder / "two.jpg")
    keep_scores(app.workspace, {key: 0.7}, {key: Known("two.jpg", "picture")})
    stopped = done(app, *publish, "--yes", code=4)
    assert "1 picture is held back, 'two.jpg' first" in stopped.stderr
    assert galloway(app, "gate", "say", "keep-out", str(folder / "two.jpg")).returncode == 0
    assert galloway(app, "gate", "say", "warn", str(folder / "three.jpg")).returncode == 0
    sent = json.loads(done(app, *publish, "--yes", "--json").stdout)
    assert sent["hits"] == 2
    done(app, *publish, "--yes", code=3)
    with market(app) as client:
        hits: list[dict[str, Any]] = client.list_hits()["HITs"]
        warned = [hit for hit in hits if "galloway-clear" in hit["Question"]]
        assert len(warned) == 1, "a page of clear pictures says nothing of blurred ones"
        assert all(hit["QualificationRequirements"] for hit in hits), "a HIT type has one requirement for all of them"


@pytest.mark.browser
@pytest.mark.slow
def test_any_page_shows_blurred_pictures_that_a_tap_clears(
    birds: tuple[App, tuple[str, ...]], tmp_path: Path, browser: Browser
) -> None:
    app, publish = birds
    assert galloway(app, "gate", "say", "warn", str(tmp_path / "pictures")).returncode == 0
    with joined(app, browser, "ann", WIDTHS[0]) as (page, site):
        done(app, *publish, "--yes")
        page.goto(f"{site}/qualifications")
        page.get_by_role("link", name="Pictures that may be sexual or violent").click()
        page.get_by_role("button", name="Ask for it").click()
        page.goto(site)
        page.get_by_role("link", name="may be sexual or violent").first.click()
        page.get_by_role("button", name="Accept").first.click()
        page.wait_for_url("**/work/*")
        frame = page.frame_locator("#task")
        picture = frame.get_by_alt_text("the picture")
        before = picture.get_attribute("src")
        assert clean(page) == []
        picture.click()
        assert picture.get_attribute("src") != before
        assert frame.get_by_role("button", name="Show the pictures").is_visible()


def test_a_review_of_a_film_asks_before_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = film_app(tmp_path / "ws")
    monkeypatch.setattr("galloway.pipeline.gate.look.explicit_available", lambda: True)
    monkeypatch.setattr(
        "galloway.pipeline.gate.look.explicit_score", lambda picture: 0.95 if min(picture.size) > 100 else 0.0
    )
    with market(app) as client:
        stopped = galloway(app, "review-swap", "publish", "--yes")
        assert stopped.returncode == 4, stopped.stderr
        assert "would show what is likely sexual" in stopped.stderr
        assert client.list_hits()["NumResults"] == 0
        assert galloway(app, "gate", "say", "warn", "--held").returncode == 0
        sent = galloway(app, "review-swap", "publish", "--yes")
        assert sent.returncode == 0, sent.stderr
        hits = client.list_hits()["HITs"]
        assert hits
        assert all("may be sexual or violent" in hit["Title"] and hit["QualificationRequirements"] for hit in hits)
        assert all("data-clear" in hit["Question"] for hit in hits)
