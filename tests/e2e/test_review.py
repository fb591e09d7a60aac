"""`galloway review` as it is run: after extract, no market, in a browser, by keyboard, on a phone, without a script."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from galloway.curation.types import Status, VoterKind
from galloway.pipeline.app import App
from playwright.sync_api import Browser, expect

from tests.support.sites import PHONE
from tests.support.workspace import built_app

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_SETTINGS = """
[ask]
faces_per_hit = 12
learn = false

[side_a]
questions = ["usable", "identity"]

[side_b]
questions = ["usable", "identity"]
"""


@contextmanager
def reviewing(app: App, *args: str) -> Iterator[str]:
    """`galloway review` on a free port; the link that it prints."""
    command = [sys.executable, "-m", "galloway", "-w", str(app.workspace.root), "review", *args]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def test_one_person_cleans_by_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    """Enter on the name, then pages until the end: R and Enter send a page, Ctrl+Z and a button take back."""
    app = built_app(tmp_path / "ws", faces=18, settings=_SETTINGS)
    with reviewing(app, "--by", "Ann") as link:
        page = browser.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if line.type == "error" else None)
        page.goto(link)
        expect(page.get_by_label("Your name")).to_have_value("Ann")
        page.keyboard.press("Enter")
        expect(page.locator("#standing")).to_contain_text("You review alone, as Ann. 0 of 36 faces were settled")
        assert page.evaluate("document.activeElement.matches('.face select, .all select')"), "hands on the first face"
        for picture in page.locator("#grid img, .refs img").all():
            expect(picture).to_have_js_property("complete", True)
        page.keyboard.press("2")
        page.keyboard.press("r")
        page.keyboard.press("Enter")
        expect(page.locator("#standing")).to_contain_text("you answered 1 page")
        page.get_by_role("button", name="Take the last page back").click()
        expect(page.locator("#standing")).to_contain_text("you answered 0 pages")
        assert page.locator("[data-mark=bad]").count() >= 1, "the page is as it was sent"
        for _ in range(12):
            if page.get_by_role("heading", name="Review alone").count():
                break
            page.keyboard.press("r")
            with page.expect_navigation():
                page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("galloway merge")
        assert errors == []
        page.close()
    votes = app.store.votes()
    assert {(vote.worker_id, vote.kind) for vote in votes} == {("person:Ann", VoterKind.PERSON)}
    decided = [item.status for item in app.store.decisions() if item.question is None]
    assert set(decided) == {Status.APPROVED, Status.REJECTED}
    assert len(decided) == 36
    assert app.ledger.batches() == [], "no HIT, no money"


@pytest.mark.parametrize("script", [True, False], ids=["phone", "phone without a script"])
def test_on_a_phone(browser: Browser, tmp_path: Path, script: bool) -> None:
    app = built_app(tmp_path / "ws", faces=6, settings=_SETTINGS)
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, java_script_enabled=script)  # type: ignore[arg-type]
    with reviewing(app) as link:
        page = context.new_page()
        page.goto(link)
        page.get_by_label("Your name").fill("Bob")
        page.get_by_role("button", name="Begin").tap()
        expect(page.locator("#standing")).to_contain_text("as Bob")
        if script:
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
            violations = Axe().run(page, options={"runOnly": rules}).response["violations"]
            assert [item["id"] for item in violations] == []
        page.get_by_label("Keep them all").check()
        page.get_by_role("button", name="Send answers").tap()
        expect(page.locator("body")).to_contain_text("you answered 1 page")
        if page.get_by_role("button", name="Stop here").count():
            page.get_by_role("button", name="Stop here").tap()
            expect(page.get_by_role("heading", name="Where the work stands")).to_be_visible()
    assert {vote.worker_id for vote in app.store.votes()} == {"person:Bob"}
    assert app.store.decisions(), "what was sent counts at once when the person stops"
    context.close()
