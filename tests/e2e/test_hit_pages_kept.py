"""What a worker filled in is kept: without scripts, after the browser was closed, and without a connection."""

from __future__ import annotations

import pytest
from galloway.curation.types import Side
from galloway.pipeline.asking.tasks import PageKind, TileAnswer, parse_answers
from playwright.sync_api import Browser, expect

from tests.support.crowd import write
from tests.support.hit_pages import coloured_task, open_task, task_frame
from tests.support.sites import PHONE, Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_without_javascript_pause_and_go_on(browser: Browser, market: Site) -> None:
    task = coloured_task(PageKind.USABLE, Side.B)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    hit_id = open_task(market, page, task, "noscript")
    frame = page.frame_locator("#task")
    frame.locator("[name='face.t0']").select_option("Covered")
    write(frame.get_by_label("Anything we should know?"), "a <note>")
    frame.get_by_role("button", name="Save and pause").click()
    frame.get_by_role("heading", name="Saved").wait_for()
    page.get_by_role("link", name="Pause").click()
    page.get_by_role("link", name="Go on").click()
    expect(frame.locator("[name='face.t0']")).to_have_value("reject:covered")
    expect(frame.get_by_label("Anything we should know?")).to_have_value("a <note>")
    page.get_by_role("link", name="I have sent it").click()
    expect(page.get_by_role("status")).to_contain_text("have not arrived yet")
    frame.get_by_label("Keep them all").check()
    frame.get_by_role("button", name="Send answers").click()
    frame.get_by_role("heading", name="Your answers have arrived").wait_for()
    page.get_by_role("link", name="I have sent it").click()
    expect(page.get_by_role("heading", name="Sent. Thank you")).to_be_visible()
    [answers] = market.answers(hit_id)
    assert answers["comment"] == "a <note>"
    assert parse_answers(task, answers)[0] == TileAnswer("t0", "reject:covered")
    context.close()


def test_a_draft_survives_closing_the_browser(browser: Browser, market: Site) -> None:
    context = browser.new_context()
    page = context.new_page()
    open_task(market, page, coloured_task(PageKind.USABLE, Side.A), "drafts")
    frame = task_frame(page)
    with page.expect_response("**/mturk/draft"):
        frame.locator(".face").nth(3).click()
    page.close()
    again = context.new_page()
    again.goto(market.addresses.worker)
    again.get_by_role("link", name="Go on").click()
    frame = task_frame(again)
    expect(frame.locator(".face").nth(3)).to_have_attribute("data-mark", "good")
    expect(frame.locator("#count")).to_have_text("1 of 6 marked")
    context.close()


def test_without_a_connection_the_answers_stay_in_the_page(browser: Browser, market: Site) -> None:
    context = browser.new_context(viewport=PHONE)  # where the note would lie on the buttons
    page = context.new_page()
    open_task(market, page, coloured_task(PageKind.USABLE, Side.A), "train-traveller")
    frame = task_frame(page)
    frame.locator(".face").nth(3).click()
    frame.get_by_label("Keep them all").check()
    context.set_offline(True)
    frame.get_by_role("button", name="Send answers").click()
    expect(frame.get_by_role("alert").filter(has_text="You are offline.")).to_be_visible()
    frame.get_by_role("button", name="Save and pause").click()
    expect(frame.locator("#count")).to_have_text("1 of 6 marked")
    context.set_offline(False)
    expect(frame.get_by_text("You are offline.")).to_be_hidden()
    frame.get_by_role("button", name="Send answers").click()
    expect(page.get_by_role("heading", name="Sent. Thank you")).to_be_visible()
    context.close()
