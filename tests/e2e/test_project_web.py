"""A stranger's hour in the browser alone: a page of Mechanical Turk's website and a spreadsheet, to paid results."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from galloway.pipeline.app import App
from galloway.pipeline.projects.project import Terms, make_project
from galloway.pipeline.projects.publish import preview_pages
from galloway.pipeline.projects.table import Table
from galloway.pipeline.stages.setup import make_workspace
from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.support.served import served
from tests.support.sites import PHONE

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# As the website's editor gave it: a fragment without a form, with its own script and style, and a crowd element's look.
_PAGE = """<!-- You must include this JavaScript file -->
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form answer-format="flatten-objects">
  <crowd-image-classifier name="kind" src="${picture}" categories="['Fink', 'Amsel', 'kein Vogel']"
      header="Welcher Vogel ist das? (${ort})">
    <short-instructions>Look at the bird.</short-instructions>
    <full-instructions header="How to">One answer for each picture.</full-instructions>
  </crowd-image-classifier>
</crowd-form>
<script>document.querySelector('crowd-form').onsubmit = function () { window.counted = true; };</script>"""
_TABLE = "picture;ort;note\nvogel 1.jpg;Köln;=1+1\nvogel 2.jpg;Zürich;\nvogel 3.jpg;Malmö;“ruhig”\n"
_DESKTOP = ViewportSize(width=1280, height=860)

Look = Callable[[Page, str], None]


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """What the stranger has on the disk: a spreadsheet's CSV from Windows, three pictures."""
    (tmp_path / "vögel.csv").write_text(_TABLE, encoding="cp1252")
    for number in range(1, 4):
        Image.new("RGB", (320, 200), (60 * number, 90, 40)).save(tmp_path / f"vogel {number}.jpg")
    return tmp_path


def test_from_a_page_and_a_spreadsheet_to_paid_results(browser: Browser, given: Path) -> None:
    workspace, _ = make_workspace(given / "ws")
    complaints: list[str] = []
    with served(workspace) as (link, _process):
        context = browser.new_context(viewport=_DESKTOP, accept_downloads=True)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)

        def look(seen: Page, name: str) -> None:
            for size in (PHONE, _DESKTOP):
                seen.set_viewport_size(size)
                assert seen.evaluate("document.documentElement.scrollWidth") <= size["width"], name

        page.goto(link)
        page.get_by_role("link", name="Projects", exact=True).click()
        _made(page, look)
        _published(page, given, look)
        invite = _invited(page, look)
        for worker, answers in (("ann", ("Fink", "Amsel", "Fink")), ("ben", ("Fink", "Amsel", "Amsel"))):
            _answered(browser, invite, worker, answers, look)
        _settled(page, link, given, look)
        context.close()
    # The form that was refused, and the preview that was not sent; nothing else, and nothing of our own policy.
    assert len(complaints) == 2
    assert "400" in complaints[0]
    assert "sandboxed" in complaints[1]
    paid = [row for row in App(workspace).ledger.payments(None) if row["status"] == "done"]
    assert sorted(row["kind"] for row in paid) == ["approve"] * 5 + ["reject"]


def _made(page: Page, look: Look) -> None:
    own = page.get_by_role("link", name="your own page")
    expect(own).to_be_visible()  # a click may return before its page is there
    look(page, "1-projects")
    own.click()
    page.get_by_label("Name of the project").fill("voegel")
    page.get_by_label("Title", exact=True).fill("Welcher Vogel ist das?")
    page.get_by_label("Pay for one answer").fill("0.1")
    page.get_by_label("Seconds one answer should take").fill("20")
    page.get_by_label("Workers for each row").fill("2")
    page.get_by_label("HTML", exact=True).fill(_PAGE.replace("crowd-image-classifier", "crowd-image-sorter"))
    page.get_by_role("button", name="Make the project").click()
    expect(page.get_by_role("alert")).to_contain_text("<crowd-image-sorter> is not supported here")
    expect(page.get_by_label("Title", exact=True)).to_have_value("Welcher Vogel ist das?")
    look(page, "2-form-refused")
    page.get_by_label("HTML", exact=True).fill(_PAGE)
    page.get_by_role("button", name="Make the project").click()
    expect(page.get_by_role("status")).to_contain_text("Its table needs the columns picture, ort.")
    expect(page.get_by_text("$18.00")).to_be_visible()
    look(page, "3-project")


def _published(page: Page, given: Path, look: Look) -> None:
    page.get_by_label("CSV from any spreadsheet").set_input_files(given / "vögel.csv")
    page.get_by_label("Pictures, sounds or films").set_input_files([given / "vogel 1.jpg", given / "vogel 2.jpg"])
    page.get_by_role("button", name="Look at it and its price").click()
    expect(page.get_by_role("alert")).to_contain_text("1 cell of picture names no file")
    expect(page.get_by_role("button", name="Publish")).to_have_count(0)
    look(page, "4-picture-missing")
    page.go_back()
    page.get_by_label("CSV from any spreadsheet").set_input_files(given / "vögel.csv")
    page.get_by_label("Pictures, sounds or films").set_input_files([given / "vogel 3.jpg"])
    page.get_by_role("button", name="Look at it and its price").click()
    expect(page.get_by_text("$0.60").first).to_be_visible()
    expect(page.get_by_text("Not on the page, but in the results: note.")).to_be_visible()
    frame = page.frame_locator("iframe")
    expect(frame.get_by_text("Welcher Vogel ist das? (Köln)")).to_be_visible()
    expect(frame.get_by_text("Fink", exact=True)).to_be_visible()
    assert frame.locator("img").evaluate("img => img.naturalWidth") == 320
    frame.get_by_text("Fink", exact=True).click()
    frame.get_by_role("button", name="Submit").click()
    expect(frame.get_by_text("This is a preview")).to_be_visible()
    look(page, "5-table-and-price")
    page.get_by_role("link", name="Row 2").click()
    expect(page.frame_locator("iframe").get_by_text("Zürich")).to_be_visible()
    page.get_by_label("$0.60 is fine").check()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("3 HITs for $0.60.")).to_be_visible()
    expect(page.get_by_text("The worker site is not running")).to_be_visible()
    look(page, "6-published")


def _invited(page: Page, look: Look) -> str:
    page.get_by_role("link", name="Open it and invite people").click()
    page.get_by_role("button", name="Open the worker site").click()
    page.get_by_label("For how many people").fill("2")
    page.get_by_role("button", name="Make a link").click()
    expect(page.locator(".invite code")).to_be_visible()
    look(page, "7-invite")
    return page.locator(".invite code").inner_text()


def _answered(browser: Browser, invite: str, name: str, answers: tuple[str, ...], look: Look) -> None:
    context = browser.new_context(viewport=PHONE if name == "ben" else _DESKTOP)
    page = context.new_page()
    page.goto(invite)
    page.get_by_label("Choose a name").fill(name)
    page.get_by_label("Choose a password").fill("correct horse")
    page.get_by_role("button", name="Join").click()
    page.wait_for_selector("text=Welcome")
    page.goto(invite.partition("/join/")[0])
    page.get_by_role("link", name="Welcher Vogel ist das?").first.click()
    for number in range(len(answers)):
        page.get_by_role("button", name="Accept").click()
        page.wait_for_url("**/work/*")
        frame = page.frame_locator("iframe")
        place = frame.locator("legend").inner_text()
        said = {"Köln": answers[0], "Zürich": answers[1], "Malmö": answers[2]}[re.findall(r"\((\w+)\)", place)[0]]
        assert frame.locator("img").evaluate("img => img.decode().then(() => img.naturalWidth)") == 320
        frame.get_by_text(said, exact=True).click()
        if number == 0:
            look(page, f"8-worker-{name}")
        frame.get_by_role("button", name="Submit").click()
        page.wait_for_url("**/after")
        if number + 1 < len(answers):
            page.goto(invite.partition("/join/")[0])
            page.get_by_role("link", name="Welcher Vogel ist das?").first.click()
    context.close()


def _settled(page: Page, link: str, given: Path, look: Look) -> None:
    page.goto(f"{link.partition('/?token=')[0]}/projects/voegel")
    page.get_by_role("button", name="Fetch answers").click()
    expect(page.get_by_text("6 answers so far.")).to_be_visible()
    page.get_by_role("link", name="Answers and pay").click()
    expect(page.get_by_text("6 answers, 6 not decided yet.")).to_be_visible()
    look(page, "9-answers")
    with page.expect_download() as got:
        page.get_by_role("link", name="Download CSV").click()
    got.value.save_as(given / "results.csv")
    with (given / "results.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["Input.note"] for row in rows} == {"'=1+1", "", "“ruhig”"}
    assert sorted(row["Answer.taskAnswers"] for row in rows)[0] == '[{"kind":{"label":"Amsel"}}]'
    for row in rows:
        row["Approve"] = "x"
    rows[-1]["Approve"], rows[-1]["Reject"] = "", "Another bird"
    pd.DataFrame(rows).to_csv(given / "marked.csv", index=False, sep=";", encoding="cp1252")
    page.get_by_label("The file").set_input_files(given / "marked.csv")
    page.get_by_role("button", name="See what it comes to").click()
    expect(page.get_by_text("pay $0.50 and reject 1")).to_be_visible()
    look(page, "10-settle")
    page.get_by_label("pay $0.50 and reject 1").check()
    page.get_by_role("button", name="Decide and pay").click()
    expect(page.get_by_text("5 approved ($0.50), 1 rejected")).to_be_visible()
    look(page, "11-paid")
    page.get_by_role("link", name="What is true").click()
    expect(page.get_by_role("cell", name="vogel 1.jpg")).to_be_visible()
    look(page, "12-votes")
    violations = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa"]}).response["violations"]
    assert violations == []


_HARD = """<html><head><script src="https://s3.amazonaws.com/mturk-public/externalHIT_v1.js"></script></head><body>
<form name="mturk_form" method="post" id="mturk_form" action="https://www.mturk.com/mturk/externalSubmit">
<input type="hidden" id="assignmentId" name="assignmentId" value=""><p>${bird}</p>
<input name="answer" value="yes"><button id="plain">Send</button>
<input type="submit" id="submitButton" value="Submit"></form>
<script>turkSetAssignmentID();
function force() { document.getElementById('mturk_form').submit(); }
function elsewhere() {
  var form = document.getElementById('mturk_form');
  form.action = 'https://www.mturk.com/mturk/externalSubmit';
  form.submit();
}</script></body></html>"""


def test_nothing_leaves_a_preview_file(browser: Browser, tmp_path: Path) -> None:
    """Whatever button is pressed and whatever the page's own script tries."""
    workspace, _ = make_workspace(tmp_path / "ws")
    project = make_project(workspace, "birds", Terms(title="A bird?", description="Look"), _HARD)
    (page_file,) = preview_pages(project, Table(("bird",), (("Fink",),)), 1)
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_file.as_uri())
    expect(page.get_by_text("Fink")).to_be_visible()
    for script in ("plain.click()", "submitButton.click()", "force()", "elsewhere()"):
        page.evaluate(f"() => {{ {script}; }}")
        page.wait_for_timeout(300)
    assert asked == [page_file.as_uri()]
    assert "Fink" in page.evaluate("document.body.innerText")
    page.close()
