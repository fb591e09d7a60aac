"""From an empty folder to a film, in the browser alone: every command is a button, and what is killed goes on."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from pathlib import Path
from urllib.parse import urljoin

import pytest
from axe_playwright_python.sync_playwright import Axe
from galloway.pipeline.jobs.kept import Job, all_jobs
from galloway.pipeline.workspace.films import films_in, found_beside
from galloway.pipeline.workspace.folder import Workspace
from PIL import Image
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.engines import filmed_frames, write_clip
from tests.support.patience import PATIENCE
from tests.support.served import studio
from tests.support.sites import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_LONG = 1000 * PATIENCE


def holds(page: Page, text: str) -> None:
    """The page that says so is no wider than the window, and whole."""
    expect(page.locator("main")).to_contain_text(text, timeout=_LONG)
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def upload(page: Page, file: Path, side: str, *, early: bool = False) -> None:
    """`early`: the file is chosen before the page's script has come."""
    late: list[Route] = []
    if early:
        page.route("**/upload.js*", lambda route: late.append(route), times=1)
        page.goto(
            urljoin(page.url, page.get_by_role("link", name="Footage", exact=True).get_attribute("href") or ""),
            wait_until="commit",
        )
        page.set_input_files("input[type=file]", file)
        while not late:  # the page has asked for it, and the answer is held back
            page.wait_for_timeout(20)
        late[0].continue_()
    else:
        page.get_by_role("link", name="Footage", exact=True).click()
        page.wait_for_load_state()
        page.set_input_files("input[type=file]", file)
    expect(page.get_by_label(file.name, exact=False).first).to_be_checked(timeout=_LONG)
    page.get_by_label(f"{side}, the face that is").check()


def take_in(page: Page, film: Path, side: str, person: str) -> None:
    upload(page, film, side)
    holds(page, "Uploaded")
    page.get_by_label("Person", exact=True).fill(person)
    page.get_by_label("my own likeness").check()
    page.get_by_role("button", name="Take it in").click()
    holds(page, "It is done.")
    page.get_by_role("link", name="The footage", exact=True).click()


def take_photograph_in(page: Page, photograph: Path, side: str) -> None:
    upload(page, photograph, side, early=True)
    page.get_by_label("photographs of the person, to compare").check()
    page.get_by_role("button", name="Take it in").click()
    expect(page.locator("main")).to_contain_text("It is done.", timeout=_LONG)


def at_work(workspace: Path, kind: str) -> Job:
    until = time.monotonic() + PATIENCE
    while True:
        found = [job for job in all_jobs(Workspace.open(workspace)) if job.kind == kind and job.pid and job.what]
        if found:
            return found[0]
        assert time.monotonic() < until
        time.sleep(0.02)


def find_faces(page: Page, side: str) -> None:
    page.get_by_role("button", name=f"Find the faces of side {side}").click()
    expect(page.get_by_role("heading", name="Find faces")).to_be_visible()


def answer_all(page: Page) -> None:
    page.get_by_role("link", name="Overview").click()
    page.get_by_role("link", name="Review alone: answer the pages yourself").click()
    page.get_by_label("Your name").fill("Ann")
    page.get_by_role("button", name="Begin").click()
    page.locator("#grid").wait_for()
    for _ in range(12):
        page.wait_for_load_state()
        if not page.locator("#grid").count():
            break
        page.get_by_label("Keep them all").check()
        with page.expect_navigation():
            page.get_by_role("button", name="Send answers").click()
    expect(page.locator("main")).to_contain_text("You answered")
    expect(page.locator("main")).to_contain_text("14 kept")


def merge_both(page: Page) -> None:
    for side in ("A", "B"):
        page.get_by_role("link", name="Overview").click()
        page.get_by_role("link", name="Merge: see the plan …").click()
        card = page.locator("section", has=page.get_by_role("button", name=f"Merge side {side}"))
        for word in ("take the model's word unproved", "keep"):
            if (choice := card.get_by_label(word, exact=True)).count():
                choice.check()
        card.get_by_role("button", name=f"Merge side {side}").click()
        expect(page.locator("main")).to_contain_text(f"Merge side {side}: Side {side}: ", timeout=_LONG)


def see_a_second(page: Page) -> None:
    holds(page, "iteration")
    page.get_by_role("link", name=re.compile("^train-")).first.click()
    holds(page, "The film so far")
    page.get_by_role("button", name="Swap this second").click()
    page.locator(".glimpses video").wait_for(timeout=_LONG)
    page.wait_for_function("document.querySelector('.glimpses video').readyState > 1", polling=50, timeout=_LONG)
    holds(page, "the original on the left")


def make_a_range_again(page: Page, film: Path) -> None:
    page.get_by_role("link", name="Where it holds").click()
    page.locator("#wipe:not([hidden])").wait_for(timeout=_LONG)
    for key in "..i..o":
        page.keyboard.press(key)
    expect(page.get_by_label("Frames", exact=True)).to_have_value("3-5")
    page.get_by_role("button", name="Swap them with the newest model").click()
    holds(page, "It is done.")
    record = json.loads(found_beside(film).record.read_text())
    assert [item["frames"] for item in record["again"]] == [[[3, 5]]]
    assert record["swapped_frames"] == [[1, 14]]


def test_from_an_empty_folder_to_the_film(browser: Browser, tmp_path: Path) -> None:
    shelf = tmp_path / "shelf"
    films = {
        name: write_clip(tmp_path / f"{name} film.mp4", filmed_frames(14, person))
        for name, person in (("a", "astronaut"), ("b", "hopper"))
    }
    photographs = {}
    for name, person in (("a", "astronaut"), ("b", "hopper")):
        photographs[name] = tmp_path / f"{name} portrait.png"
        Image.fromarray(filmed_frames(1, person, (640, 360))[0]).save(photographs[name])
    page = browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True).new_page()
    with studio(shelf) as (link, server):
        page.goto(link)
        holds(page, "No project yet")
        page.get_by_label("Name").fill("Erster Tausch")
        page.get_by_role("button", name="Make it").click()
        holds(page, "Nothing yet.")
        workspace = shelf / "Erster-Tausch"
        take_in(page, films["a"], "A", "Ann")
        find_faces(page, "A")
        os.kill(at_work(workspace, "extract").pid, signal.SIGKILL)
        holds(page, "Its process ended without a word")
        page.get_by_role("button", name="Go on").click()
        holds(page, "It is done.")
        take_in(page, films["b"], "B", "Bob")
        find_faces(page, "B")
        at_work(workspace, "extract")
        server.kill()
    with studio(shelf) as (link, _server):
        page.goto(link)
        holds(page, "Erster-Tausch")
        page.get_by_role("link", name="Erster-Tausch").click()
        page.get_by_role("link", name="Jobs").click()
        page.get_by_role("link", name="Find faces").first.click()
        holds(page, "It is done.")
        for side, name in (("A", "a"), ("B", "b")):
            take_photograph_in(page, photographs[name], side)
        answer_all(page)
        merge_both(page)
        page.get_by_role("link", name="Training", exact=True).click()
        page.get_by_label("Minutes").fill("0.1")
        page.get_by_label("Paint over hands and cups").check()
        page.get_by_role("button", name="Train").click()
        holds(page, "It is done.")
        page.get_by_role("link", name="Losses and previews").click()
        see_a_second(page)
        page.get_by_role("link", name="Results", exact=True).click()
        page.get_by_role("button", name="Make the film").click()
        holds(page, "It is done.")
        page.get_by_role("link", name="The film").click()
        expect(page.get_by_text("frames changed")).to_be_visible()
        with page.expect_download() as saved:
            page.get_by_role("link", name="save").first.click()
        (made,) = films_in(workspace / "results")
        assert saved.value.path().read_bytes() == made.read_bytes()
        make_a_range_again(page, made)
        assert not list((workspace / "uploads").iterdir()), "what was taken in is footage, not an upload any more"
        page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        page.emulate_media(color_scheme="dark")
        for name, text in (("Footage", "Add a film"), ("Jobs", "Make the film"), ("Training", "It goes on")):
            page.get_by_role("link", name=name, exact=True).click()
            holds(page, text)
        page.get_by_role("link", name="All projects").click()
        holds(page, "New project")
        page.get_by_role("link", name="This machine").click()
        holds(page, "Python")
    page.context.close()


def test_the_form_stays_filled_in_while_files_come(browser: Browser, tmp_path: Path) -> None:
    for name in ("left.mp4", "one.mp4", "two.mp4"):
        (tmp_path / name).write_bytes(name.encode())
    page = browser.new_page()
    with studio(tmp_path / "shelf") as (link, _server):
        page.goto(link)
        page.get_by_label("Name").fill("one")
        page.get_by_role("button", name="Make it").click()
        page.set_input_files("input[type=file]", tmp_path / "left.mp4")
        expect(page.get_by_role("checkbox", name="left.mp4")).to_be_checked()
        page.goto(f"{link.partition('?')[0]}w/one/footage")  # by its bare address, as a bookmark has it
        page.get_by_label("Person", exact=True).fill("Ann")
        page.get_by_label("B, the face that is").check()
        page.set_input_files("input[type=file]", [tmp_path / "one.mp4", tmp_path / "two.mp4"])
        expect(page.get_by_role("status")).to_have_text("Uploaded: one.mp4, two.mp4")
        expect(page.get_by_label("Person", exact=True)).to_have_value("Ann")
        expect(page.get_by_label("B, the face that is")).to_be_checked()
        for name in ("one.mp4", "two.mp4"):
            expect(page.get_by_role("checkbox", name=name)).to_be_checked()
        expect(page.get_by_role("checkbox", name="left.mp4")).not_to_be_checked()
    page.close()


def test_the_studio_lets_nobody_in_without_its_link(browser: Browser, tmp_path: Path) -> None:
    with studio(tmp_path / "shelf") as (link, _server):
        bare = link.partition("?")[0]
        page = browser.new_page()
        for path in ("", "machine", "w/x/", "w/../../etc/"):
            assert page.goto(bare + path).status in (401, 404)  # type: ignore[union-attr]
            assert "New project" not in page.content()
        page.goto(link)
        page.get_by_label("Name").fill("one")
        page.get_by_role("button", name="Make it").click()
        holds(page, "Nothing yet.")
        page.goto(bare)
        page.get_by_label("Name").fill("ONE")
        page.get_by_role("button", name="Make it").click()
        holds(page, "There is something called ONE")
        other = browser.new_context().new_page()
        other.goto(f"{bare}w/one/footage")
        expect(other.get_by_role("heading", name="Sign in")).to_be_visible()
        other.context.close()
        page.close()
