"""The requester's web app as it is run: `galloway serve`, in a browser, by keyboard, without script, on a phone."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from axe_playwright_python.sync_playwright import Axe
from galloway.curation.types import Side, Status, VoterKind
from galloway.pipeline.app import App
from galloway.pipeline.asking.decide import face_decisions
from galloway.pipeline.workspace.folder import Workspace
from playwright.sync_api import Browser, BrowserContext, ViewportSize, expect

from tests.support.served import served
from tests.support.sites import PHONE, chromium
from tests.support.web import face_id, full_workspace

PAGES = (
    "/",
    "/footage",
    "/jobs",
    "/batches",
    "/team/log",
    "/batches/abc123-a-usable-r1-0001",
    "/faces",
    "/faces/map",
    "/faces/decisions",
    f"/faces/{face_id(Side.A, 0)}",
    "/workers",
    "/facesets",
    "/training",
    "/training/train-20261122-090500-000000",
    "/results",
    "/publish",
    "/merge",
    "/people",
    "/projects",
    "/components",
    "/settings",
    "/none",
)
# What the page asks the server for waits until it is let go.
HELD = """() => {
  const ask = window.fetch, gate = new Promise((go) => { window.release = go; });
  window.fetch = (...what) => gate.then(() => ask(...what));
}"""
WIDTHS = (ViewportSize(width=1280, height=860), PHONE)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return full_workspace(tmp_path_factory.mktemp("web") / "ws", faces=8)


@pytest.fixture(scope="module")
def link(workspace: Workspace) -> Iterator[str]:
    """The link as it is printed, with its token."""
    with served(workspace) as (found, _):
        yield found


@pytest.fixture(scope="module")
def address(link: str) -> str:
    return link.partition("/?token=")[0]


@pytest.fixture(scope="module")
def browser(link: str) -> Iterator[Browser]:
    """A browser whose every context was opened with the printed link."""
    with chromium() as found:
        plain = found.new_context

        def entered(**options: Any) -> BrowserContext:
            context = plain(**options)
            context.request.get(link)
            return context

        found.new_context = entered  # type: ignore[method-assign]
        yield found


def test_serve_says_where_it_is_and_stops_on_ctrl_c(workspace: Workspace) -> None:
    with served(workspace) as (found, process):
        assert found.startswith("http://127.0.0.1:")
        base, _, token = found.partition("/?token=")
        with pytest.raises(HTTPError, match="401"):
            urlopen(f"{base}/api/status", timeout=10)
        asked = Request(f"{base}/api/status", headers={"Authorization": f"Bearer {token}"})
        with urlopen(asked, timeout=10) as answer:
            assert json.load(answer)["workspace"] == "trial"
        process.send_signal(signal.SIGINT)
        assert process.wait(20) in (0, 130)


@pytest.mark.browser
def test_pages_are_accessible_and_fit(browser: Browser, address: str) -> None:
    """On a desktop, and on a phone in the dark: no finding of axe-core, nothing to scroll sideways, nothing that the
    page's own policy blocks. In German, whose words are longer."""
    plain, tested = browser.new_context(locale="de"), browser.new_context(locale="de", bypass_csp=True)
    page, other = plain.new_page(), tested.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    for path in PAGES:
        page.goto(address + path)
        other.goto(address + path)
        for size in WIDTHS:
            dark = size is PHONE
            for each in (page, other):
                each.set_viewport_size(size)
                each.emulate_media(color_scheme="dark" if dark else "light")
            assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
            found = Axe().run(other)
            assert found.violations_count == 0, f"{path}, dark {dark}: {found.generate_report()}"
    assert [text for text in complaints if "404" not in text] == []
    plain.close()
    tested.close()


@pytest.mark.browser
def test_a_dispute_is_settled_by_keyboard_without_script(browser: Browser, address: str, workspace: Workspace) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{address}/faces?side=a&status=disputed")
    first = face_id(Side.A, 0)
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the page")
    to = {"mark": f"[value='{first}']", "why": "[name=note]", "name": "[name=by]", "keep": "[value=keep]"}
    typed = {"mark": " ", "why": "turned away, but it is her", "name": "Ann", "keep": "\n"}
    for what in ("mark", "keep", "why", "name"):
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.locator(f":focus:is({to[what]})").count():
                break
        if what != "keep":
            page.keyboard.type(typed[what])
    page.locator(to["keep"]).press("Enter")
    expect(page.get_by_role("status").first).to_contain_text("1 approved, by Ann")
    assert page.url.endswith("/faces?side=a&status=disputed")
    app = App(workspace)
    assert face_decisions(app.store.decisions())[first].status is Status.APPROVED
    assert any(vote.kind is VoterKind.PERSON for vote in app.store.votes(faces=[first]))
    context.close()


@pytest.mark.browser
def test_faces_are_marked_decided_seen_large_and_taken_back_by_keys(
    browser: Browser, address: str, workspace: Workspace
) -> None:
    store = App(workspace).store

    def standing() -> list[str]:
        found = face_decisions(store.decisions())
        return [found[face_id(Side.B, number)].status.value for number in range(8)]

    before, votes = standing(), store.count_votes()
    context = browser.new_context(viewport=WIDTHS[0])
    page = context.new_page()
    page.goto(f"{address}/faces?side=b&order=film")
    said = page.locator("#standing")
    expect(said).to_have_text("8 faces")
    page.locator("[name=note]").fill("by hand")
    page.get_by_label("Your name").fill("Ann")
    page.locator("#n1").click()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(said).to_have_text("3 marked of 8 faces")
    page.keyboard.press("5")
    expect(said).to_have_text("8 faces. 3 rejected.  Undo")
    assert standing()[1:4] == ["rejected"] * 3 and standing()[4:] == before[4:]
    page.keyboard.press("u")
    expect(said).to_contain_text("Taken back: reject on 3 faces, by Ann.")
    assert (standing(), store.count_votes()) == (before, votes)
    page.keyboard.press("Home")
    page.keyboard.press("z")
    large = page.locator("#near-face h2").first
    expect(large).to_contain_text("clip_000001_0.png")
    page.keyboard.press("k")
    expect(large).to_contain_text("clip_000002_0.png")
    page.keyboard.press("z")
    expect(page.locator("#near")).to_be_hidden()
    page.keyboard.press("Control+z")
    expect(said).to_contain_text("Taken back: keep on 1 face, by Ann.")
    page.evaluate(HELD)
    page.keyboard.press("k")
    page.keyboard.press("Control+z")  # quicker than the decision that it takes back
    with page.expect_response("**/undo"):
        page.evaluate("release()")
    expect(said).to_contain_text("Taken back: keep on 1 face, by Ann.")
    assert (standing(), store.count_votes()) == (before, votes)
    page.goto(f"{address}/settings")
    page.get_by_label("Language").select_option("de")
    page.get_by_label("for the left-handed").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_have_text("Deine Einstellungen sind gespeichert.")
    page.goto(f"{address}/faces?side=b&order=film")
    expect(said).to_have_text("8 Gesichter")
    expect(page.locator(".deciding .keys")).to_contain_text("j das Gesicht behalten")
    page.locator("#n0").click()
    page.keyboard.press("l")
    expect(large).to_contain_text("clip_000001_0.png")
    page.keyboard.press("l")
    page.keyboard.press("x")
    page.keyboard.press("j")
    expect(said).to_have_text("8 Gesichter. 1 angenommen.  Rückgängig")
    page.keyboard.press("u")
    expect(said).to_contain_text("Zurückgenommen: behalten bei 1 Gesicht, von Ann.")
    assert (standing(), store.count_votes()) == (before, votes)
    context.close()


@pytest.mark.browser
def test_a_page_that_is_looked_at_renews_itself(browser: Browser, address: str, workspace: Workspace) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{address}/batches")
    page.clock.install()
    page.reload()
    App(workspace).ledger.mark_cancelled("local", "abc123-a-usable-r1-0001")
    page.clock.run_for(6000)
    page.locator(".tag.cancelled").wait_for(timeout=10_000)
    page.close()


def test_no_absolute_path_is_shown(link: str, workspace: Workspace) -> None:
    address, _, token = link.partition("/?token=")
    for path in PAGES[:-1]:
        with urlopen(Request(address + path, headers={"Authorization": f"Bearer {token}"}), timeout=20) as answer:
            assert str(Path(workspace.root)) not in answer.read().decode()
