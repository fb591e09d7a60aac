"""Pages from Mechanical Turk's website and from other people's servers: what they send arrives."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.support.crowd import CLASSIFIER, answered, send
from tests.support.loopback import serving
from tests.support.marketplace import external_question, html_question
from tests.support.sites import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


WEBSITE = '<section><h3>What is on ${name}?</h3><input type="text" name="tag" aria-label="Tag" required></section>'


def test_a_layout_from_the_website_gets_its_form_and_button_and_raw_values(market: Site, worker: Page) -> None:
    script = "<script>var d = ${data}; document.querySelector('[name=tag]').value = d.name + '&';</script>"
    layout = market.running.market.operator.add_layout("A studio", "tags", WEBSITE + script)
    values = [{"Name": "name", "Value": "<b>it</b>"}, {"Name": "data", "Value": '{"name": "<Ann>"}'}]
    made = market.client.create_hit(
        Title="Tags",
        Description="A test.",
        Reward="0.15",
        LifetimeInSeconds=3600,
        AssignmentDurationInSeconds=1800,
        HITLayoutId=layout,
        HITLayoutParameters=values,
    )["HIT"]
    market.accept(worker, made["HITId"])
    task = worker.frame_locator("#task")
    expect(task.locator("h3 b")).to_have_text("it")
    task.get_by_role("button", name="Submit").click()
    worker.wait_for_url("**/after")
    assert market.answers(made["HITId"]) == [{"tag": "<Ann>&"}]


FIELD = '<input name="a" value="1"><button type="submit">Submit</button>'


HOSTS = [
    f'<form action="//www.mturk.com/mturk/externalSubmit">{FIELD}</form>',
    f'<form method="post" action="https://www.mturk.com/mturk/externalSubmit">{FIELD}</form>',
    f"<form>{FIELD}</form>",
    f"""<form id=f method=post>{FIELD}</form><script>var host = 'https://workersandbox.mturk.com';
    document.getElementById('f').action = host + '/mturk/externalSubmit';</script>""",
    f"""<form id=f method=post>{FIELD}</form><script>document.getElementById('f').onsubmit = function (e) {{
    e.preventDefault(); this.action = 'https://www' + '.mturk.com/mturk/externalSubmit'; this.submit(); }};</script>""",
    """<button id=b>Submit</button><script>document.getElementById('b').onclick = function () {
    var f = document.createElement('form'); f.method = 'POST'; f.innerHTML = '<input name=a value=1>';
    f.action = 'https://worker.mturk.com/mturk/externalSubmit'; document.body.append(f); f.submit(); };</script>""",
]


@pytest.mark.parametrize("page", HOSTS)
def test_forms_with_mechanical_turks_hosts_or_without_an_assignment_arrive(
    market: Site, worker: Page, page: str
) -> None:
    xml = answered(market, worker, html_question(page), lambda task, _: send(task))
    assert xml.count("<Answer>") == 1
    assert "<FreeText>1</FreeText>" in xml


class _Elsewhere(BaseHTTPRequestHandler):
    """Somebody else's server, whose page uses our crowd script."""

    script = ""

    def do_GET(self) -> None:
        page = f'<script src="{self.script}"></script><crowd-form>{CLASSIFIER}</crowd-form>'
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *_: Any) -> None:
        """Quiet."""


@pytest.fixture
def elsewhere(market: Site) -> Iterator[str]:
    _Elsewhere.script = f"{market.addresses.frames}/assets/crowd.js"
    with serving(_Elsewhere) as origin:
        yield f"{origin}/task"


def test_a_page_elsewhere_with_our_crowd_script_knows_its_assignment(
    market: Site, worker: Page, elsewhere: str
) -> None:
    def answer(task: FrameLocator, page: Page) -> None:
        task.get_by_label("person", exact=True).check()
        send(task)

    xml = answered(market, worker, external_question(elsewhere), answer)
    assert xml.count("<Answer>") == 1
    assert '{"kind":{"label":"person"}}' in xml
