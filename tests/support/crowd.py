"""Answering a page of crowd elements as a worker does, and what is stored of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Error, FrameLocator, Locator, Page, expect

from tests.support.marketplace import html_question
from tests.support.sites import Site

LOADER = '<!DOCTYPE html><script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
Answer = Callable[[FrameLocator, Page], None]
"""What a worker does with a page: gets the task in its frame and the page around it."""
SHOWN = """body => body.innerText + Array.from(body.querySelectorAll('input, select, textarea'),
  field => `\\n${field.name}: ${field.value} ${field.checked || ''}`).join('')"""
"""What a page of elements shows and what its fields hold."""
CLASSIFIER = """<crowd-classifier name="kind" categories="['person', 'no person']" header="What is it?">
<classification-target>x</classification-target></crowd-classifier>"""


def send(task: FrameLocator) -> None:
    """Press the button that hands the page in."""
    task.get_by_role("button", name="Submit").click()


def write(field: Locator, text: str) -> None:
    """Text into a field of a frame, there when this returns: what comes before the browser knows that the keys are the
    frame's is lost, and written again."""
    for _ in range(4):
        field.click()
        field.fill(text)
        try:
            expect(field).to_have_value(text, timeout=3000)
            return
        except AssertionError:
            continue
    expect(field).to_have_value(text)


def type_keys(field: Locator, text: str) -> None:
    """As a person does: click, then keys, once the browser knows that they are the frame's."""
    field.click()
    press(field, "Shift")
    field.press_sequentially(text)


CAME = """field => {
  window.keyCame = false;
  field.addEventListener('keydown', () => { window.keyCame = true; }, { once: true, capture: true });
}"""


def press(field: Locator, *keys: str) -> None:
    """Keys for a field of a frame; a key that never came, sent before the browser knew whose it is, is sent again."""
    for key in keys:
        field.evaluate(CAME)
        owner = field.element_handle().owner_frame()
        assert owner is not None
        for _ in range(5):
            field.focus()
            owner.wait_for_function("document.hasFocus()")
            field.press(key)
            try:
                owner.wait_for_function("window.keyCame", timeout=3000)
                break
            except Error:
                continue
        else:
            raise AssertionError(f"The key {key} never came to the field.")


def answered(market: Site, page: Page, question: str, answer: Answer) -> str:
    """The stored answer XML of what the worker did with the page."""
    hit_id = market.publish(question)
    market.accept(page, hit_id)
    task = page.frame_locator("#task")
    answer(task, page)
    try:
        page.wait_for_url("**/after")
    except Error as stuck:
        raise AssertionError(f"The answer was not sent:\n{task.locator('body').evaluate(SHOWN)}") from stuck
    [found] = market.client.list_assignments_for_hit(HITId=hit_id)["Assignments"]
    return str(found["Answer"])


def crowd_answer(market: Site, page: Page, body: str, answer: Answer) -> Any:
    """What `taskAnswers` holds, which is the only answer."""
    xml = answered(market, page, html_question(f"{LOADER}<crowd-form>{body}</crowd-form>"), answer)
    assert xml.count("<Answer>") == 1
    assert "<QuestionIdentifier>taskAnswers</QuestionIdentifier>" in xml
    text = xml.partition("<FreeText>")[2].partition("</FreeText>")[0]
    [found] = json.loads(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    return found
