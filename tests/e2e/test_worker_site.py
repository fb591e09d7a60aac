"""The worker site in a real browser: hostile pages, foreign templates, accessibility."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from galloway.curation.types import Side
from galloway.pipeline.asking.render import render_hit
from galloway.pipeline.asking.tasks import PageKind, Picture, Tile
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.crowd import write
from tests.support.loopback import serving
from tests.support.marketplace import QUESTION_FORM, external_question, html_question
from tests.support.sites import PHONE, Site, picture
from tests.support.tasks import grid_task

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    made = browser.new_context()
    yield made
    made.close()


HOSTILE = """<!DOCTYPE html><html><body><pre id="out">running</pre>
<form id="steal" method="post" action="%(portal)s/work/%(victim)s/return" target="hidden"></form>
<iframe name="hidden" id="hidden"></iframe>
<script>
(async function () {
  var found = {};
  async function attempt(name, work) {
    try { found[name] = String(await work()); } catch (refused) { found[name] = 'refused'; }
  }
  function read(url, more) {
    return fetch(url, Object.assign({ credentials: 'include' }, more || {})).then(function (a) { return a.text(); });
  }
  await attempt('own cookies', function () { return document.cookie; });
  await attempt('storage', function () { return localStorage.length; });
  await attempt('parent page', function () { return parent.document.body.innerHTML; });
  await attempt('portal account', function () { return read('%(portal)s/account'); });
  await attempt('portal history', function () { return read('%(portal)s/history'); });
  await attempt('other task', function () { return read('%(portal)s/work/%(victim)s'); });
  await attempt('other frame', function () { return read('%(frames)s/frame/a.%(victim)s.AX.9999999999999.x'); });
  await attempt('api', function () {
    return read('%(api)s/', { method: 'POST', body: '{}', headers: {
      'X-Amz-Target': 'MTurkRequesterServiceV20170117.ListHITs', 'Content-Type': 'application/x-amz-json-1.1' } });
  });
  await attempt('popup', function () { return open('%(portal)s/account').document.body.innerHTML; });
  await attempt('top', function () { top.location.href = 'https://example.org/'; return 'asked'; });
  await attempt('leave', function () {
    return fetch('%(portal)s/sign-out', { method: 'POST', mode: 'no-cors', credentials: 'include' });
  });
  document.getElementById('steal').submit();
  await new Promise(function (done) { setTimeout(done, 400); });
  document.getElementById('out').textContent = JSON.stringify(found);
})();
</script></body></html>"""


def test_a_hostile_task_reads_and_changes_nothing(browser: Browser, market: Site) -> None:
    victim_context, hunter_context = browser.new_context(), browser.new_context()
    victim, hunter = victim_context.new_page(), hunter_context.new_page()
    market.join(victim, "victim")
    held = market.accept(victim, market.publish(html_question("<p>a task</p>"), title="Harmless"))
    names = {
        "portal": market.addresses.worker,
        "frames": market.addresses.frames,
        "api": market.addresses.api,
        "victim": held,
    }
    hostile = market.publish(html_question(HOSTILE % names), title="Hostile")
    # The victim opens the hostile task: with the victim's own cookies in the same browser.
    market.accept(victim, hostile)
    victim.frame_locator("#task").locator("#out", has_text="{").wait_for()
    found = json.loads(victim.frame_locator("#task").locator("#out").inner_text())
    for name in ("parent page", "portal account", "portal history", "other task", "other frame", "api", "popup"):
        assert found[name] == "refused", name
    assert (found["own cookies"], found["storage"]) == ("", "0")  # the page's own, in memory
    assert victim.url.startswith(market.addresses.worker)
    # Still signed in, and the other task is still held: neither post did anything.
    victim.goto(f"{market.addresses.worker}/work/{held}")
    expect(victim.get_by_role("heading", name="Harmless")).to_be_visible()
    # Another worker, signed in, asks for the victim's task by its id.
    market.join(hunter, "hunter")
    answer = hunter.goto(f"{market.addresses.worker}/work/{held}")
    assert answer is not None
    assert answer.status == 404
    for made in (victim_context, hunter_context):
        made.close()


CLASSIC = """<html><head><script src="https://s3.amazonaws.com/mturk-public/externalHIT_v1.js"></script></head><body>
<form name="mturk_form" method="post" id="mturk_form" action="https://www.mturk.com/mturk/externalSubmit">
<input type="hidden" value="" name="assignmentId" id="assignmentId"/>
<label>Colour <input name="colour"></label><input type="submit" id="submitButton" value="Submit"></form>
<script>turkSetAssignmentID();</script></body></html>"""


def test_a_classic_template_works_as_it_is(context: BrowserContext, market: Site) -> None:
    page = context.new_page()
    hit_id = market.publish(html_question(CLASSIC), title="Classic")
    market.join(page, "classic")
    market.accept(page, hit_id)
    task = page.frame_locator("#task")
    write(task.get_by_label("Colour"), "blue & <green>")
    task.get_by_role("button", name="Submit").click()
    page.wait_for_url("**/after")
    assert market.answers(hit_id) == [{"colour": "blue & <green>"}]


def test_a_question_form_is_answered(context: BrowserContext, market: Site) -> None:
    page = context.new_page()
    hit_id = market.publish(QUESTION_FORM, title="Form")
    market.join(page, "former")
    market.accept(page, hit_id)
    task = page.frame_locator("#task")
    task.get_by_label("Blue").check()
    write(task.get_by_role("spinbutton"), "44")
    task.get_by_role("button", name="Send answers").click()
    page.wait_for_url("**/after")
    [found] = market.client.list_assignments_for_hit(HITId=hit_id)["Assignments"]
    assert "<SelectionIdentifier>blue</SelectionIdentifier>" in found["Answer"]
    assert "44" in found["Answer"]


class _External(BaseHTTPRequestHandler):
    """Somebody else's task server: answers with a form made from the four parameters."""

    def do_GET(self) -> None:
        page = (
            "<form method=post><input type=hidden name=assignmentId><button>Done</button></form><script>"
            "var q=new URLSearchParams(location.search),f=document.forms[0];"
            "f.assignmentId.value=q.get('assignmentId');"
            "f.action=q.get('turkSubmitTo')+'/mturk/externalSubmit?'+new URLSearchParams({worker:q.get('workerId')});"
            "localStorage.setItem('own','storage');"
            "var i=document.createElement('input');i.name='worker';i.value=q.get('workerId');i.type='hidden';"
            "f.append(i);</script>"
        )
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def external() -> Iterator[str]:
    with serving(_External) as origin:
        yield f"{origin}/task?kind=1"


def test_an_external_question_posts_back(context: BrowserContext, market: Site, external: str) -> None:
    page = context.new_page()
    hit_id = market.publish(external_question(external), title="External")
    market.join(page, "outsider")
    market.accept(page, hit_id)
    task = page.frame_locator("#task")
    task.get_by_role("button", name="Done").click()
    page.wait_for_url("**/after")
    [answers] = market.answers(hit_id)
    page.goto(f"{market.addresses.worker}/account")
    assert list(answers) == ["worker"]
    expect(page.locator("code").first).to_have_text(answers["worker"])


SIZES = pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, PHONE], ids=["desktop", "phone in the dark"])


def _violations(page: Page) -> list[str]:
    """axe-core's verdict on the page and everything in its frames; and whether it is wider than the window."""
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]})
    wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
    return [f"{page.url} is wider than the window"] * wide + [
        f"{page.url} {item['id']}: {node['html'][:160]}"
        for item in found.response["violations"]
        for node in item["nodes"]
    ]


@SIZES
def test_every_page_is_accessible_and_fits(browser: Browser, market: Site, size: dict[str, int]) -> None:
    context = browser.new_context(viewport=size, color_scheme="dark" if size == PHONE else "light")  # type: ignore[arg-type]
    page, problems = context.new_page(), []
    hit_id = market.publish(
        html_question(render_hit(grid_task(tiles=[Tile("t", picture("red"))]))), title="A" + 60 * "x" + "e"
    )
    group = market.client.get_hit(HITId=hit_id)["HIT"]["HITGroupId"]
    page.goto(market.invite())
    problems += _violations(page)
    market.join(page, f"axe{size['width']}".ljust(64, "e"))
    problems += _violations(page)
    held = market.accept(page, hit_id)
    problems += _violations(page)
    form = market.publish(QUESTION_FORM, title="Axe form")
    worker_id = page.context.request.get(f"{market.addresses.worker}/account/data.json").json()["worker"]["id"]
    page.goto(market.work.preview(worker_id, hit_id=form).frame_url)
    problems += _violations(page)
    token = market.running.market.operator.token
    for path in (
        "/",
        f"/projects/{group}/tasks",
        f"/work/{held}/after",
        "/history",
        "/earnings",
        "/messages",
        "/qualifications",
        "/account",
        "/account/checks",
        "/nowhere",
        f"/operator/enter?token={token}",
        "/sign-in",
    ):
        page.goto(market.addresses.worker + path)
        problems += _violations(page)
    context.close()
    assert problems == []


@SIZES
@pytest.mark.parametrize("kind", list(PageKind))
def test_hit_templates_are_accessible(context: BrowserContext, kind: PageKind, size: Any) -> None:
    page = context.new_page()
    page.set_viewport_size(size)
    tiles = [Tile(f"t{number}", picture("red"), group=1 + number // 2) for number in range(4)]
    page.set_content(render_hit(grid_task(kind, Side.B, tiles=tiles, references=[Picture(picture("navy"))])))
    assert _violations(page) == []
    page.locator(".face").nth(0).click()
    page.keyboard.press("2")
    assert _violations(page) == []
    page.keyboard.press("z")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert _violations(page) == []


@SIZES
def test_pages_that_need_a_past_are_accessible(context: BrowserContext, market: Site, size: Any) -> None:
    """A preview, a submitted record, a qualification and its test: pages that a new worker's site does not have yet."""
    page, problems = context.new_page(), []
    page.set_viewport_size(size)
    name = f"Axe past {size['width']}"
    hit_id = market.publish(html_question(render_hit(grid_task(tiles=[Tile("t", picture("red"))]))), title=name)
    group = market.client.get_hit(HITId=hit_id)["HIT"]["HITGroupId"]
    held_type = market.client.create_qualification_type(
        Name=name,
        Description="Knows faces",
        QualificationTypeStatus="Active",
        Test=QUESTION_FORM,
        TestDurationInSeconds=600,
    )["QualificationType"]["QualificationTypeId"]
    market.join(page, f"axepast{size['width']}")
    page.goto(f"{market.addresses.worker}/projects/{group}/tasks")
    expect(page.locator("iframe"), "this is the preview, not a refusal").to_have_count(1)
    problems += _violations(page)
    held = market.accept(page, hit_id)
    market.work.submit(held, [("face.t", "keep")])
    for path in (f"/history/{held}", "/history", "/earnings", f"/qualifications/{held_type}"):
        assert page.goto(market.addresses.worker + path).status == 200  # type: ignore[union-attr]
        problems += _violations(page)
    page.get_by_role("button", name="Take the test").click()
    page.get_by_role("button", name="Hand in").wait_for()
    page.wait_for_load_state()
    problems += _violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert problems == []
