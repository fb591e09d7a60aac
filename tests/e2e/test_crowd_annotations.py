"""Pictures and texts that are marked with crowd elements: mouse, keyboard, finger; shapes as AWS documents them."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, expect

from tests.support.crowd import CLASSIFIER, LOADER, Answer, answered, crowd_answer, press, send, write
from tests.support.marketplace import html_question
from tests.support.sites import PHONE, Site, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]


MARKS = """<crowd-%s name="marks" src="%s" labels="['Dog', 'Cat']" header="Mark them"></crowd-%s>"""


def _at(task: FrameLocator, page: Page, *spots: tuple[float, float]) -> list[tuple[float, float]]:
    """Places on the picture, in the window's pixels."""
    canvas = task.locator(".crowd-canvas")
    canvas.scroll_into_view_if_needed()
    expect(canvas).to_have_attribute("viewBox", "0 0 24 24")
    box = canvas.bounding_box()
    assert box is not None
    return [(box["x"] + x * box["width"] / 24, box["y"] + y * box["height"] / 24) for x, y in spots]


def test_scripts_find_the_picture_and_read_the_labels_as_json(market: Site, worker: Page) -> None:
    # A frame in a process of its own has no size (innerWidth 0) until the browser has told it one, on a busy machine
    # after its load event: this page measures when it has.
    script = """<input name="found" type="hidden"></crowd-form><script>
    window.addEventListener('load', function measure() {
      if (!window.innerWidth) { requestAnimationFrame(measure); return; }
      var points = document.querySelector('crowd-keypoint');
      var area = points.shadowRoot.querySelector('canvas.upper-canvas').getBoundingClientRect();
      document.querySelector('[name=found]').value = points.getAttribute('labels') + (area.width > 0);
    });</script><crowd-form hidden>"""

    def answer(task: FrameLocator, page: Page) -> None:
        expect(task.locator("[name=found]")).not_to_have_value("")
        [(x, y)] = _at(task, page, (5, 6))
        page.mouse.click(x, y)
        send(task.locator("crowd-form").first)  # type: ignore[arg-type]

    found = crowd_answer(market, worker, MARKS % ("keypoint", picture("red"), "keypoint") + script, answer)
    assert found["found"] == '["Dog","Cat"]true'
    assert found["marks"]["keypoints"] == [{"label": "Dog", "x": 5, "y": 6}]


def test_boxes_are_drawn_with_mouse_and_keyboard(market: Site, worker: Page) -> None:
    def answer(task: FrameLocator, page: Page) -> None:
        send(task)
        expect(task.get_by_role("alert")).to_contain_text("Mark something")
        (x, y), (to_x, to_y) = _at(task, page, (2, 4), (12, 20))
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(to_x, to_y)
        page.mouse.up()
        task.get_by_label("Cat").check()
        canvas = task.get_by_role("application")
        press(canvas, "Space", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "Space")
        send(task)

    found = crowd_answer(market, worker, MARKS % ("bounding-box", picture("red"), "bounding-box"), answer)["marks"]
    assert found["inputImageProperties"] == {"height": 24, "width": 24}
    first, second = found["boundingBoxes"]
    assert first == {"height": 16, "label": "Dog", "left": 2, "top": 4, "width": 10}
    assert (second["label"], second["left"], second["top"]) == ("Cat", 12, 20)


def test_outlines_and_points_come_in_the_documented_shapes(market: Site, worker: Page) -> None:
    def outline(task: FrameLocator, page: Page) -> None:
        for x, y in _at(task, page, (1, 1), (20, 2), (10, 20)):
            page.mouse.click(x, y)
        task.get_by_role("button", name="End the outline").click()
        send(task)

    def points(task: FrameLocator, page: Page) -> None:
        for x, y in _at(task, page, (5, 6), (9, 9)):
            page.mouse.click(x, y)
        task.get_by_role("button", name="Remove Dog 2").click()
        send(task)

    found = crowd_answer(market, worker, MARKS % ("polygon", picture("red"), "polygon"), outline)["marks"]
    corners = [{"x": 1, "y": 1}, {"x": 20, "y": 2}, {"x": 10, "y": 20}]
    assert found["polygons"] == [{"label": "Dog", "vertices": corners}]
    found = crowd_answer(market, worker, MARKS % ("keypoint", picture("red"), "keypoint"), points)["marks"]
    assert found["keypoints"] == [{"label": "Dog", "x": 5, "y": 6}]


def test_a_finger_marks_boxes_outlines_and_points(market: Site, browser: Browser) -> None:
    """On a phone: pulled and tapped, and the page does not scroll away under the finger."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    page = context.new_page()
    market.join(page, "fin")
    finger = context.new_cdp_session(page)

    def touch(kind: str, *spots: tuple[float, float]) -> None:
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in spots]})

    def pull(task: FrameLocator, page: Page) -> None:
        (start, end) = _at(task, page, (2, 4), (12, 20))
        touch("touchStart", start)
        touch("touchMove", ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
        touch("touchMove", end)
        touch("touchEnd")
        send(task)

    def taps(*spots: tuple[float, float], then: str = "") -> Answer:
        def answer(task: FrameLocator, page: Page) -> None:
            for x, y in _at(task, page, *spots):
                page.touchscreen.tap(x, y)
            if then:
                task.get_by_role("button", name=then).tap()
            send(task)

        return answer

    marks = [
        crowd_answer(market, page, MARKS % (kind, picture("red"), kind), answer)["marks"]
        for kind, answer in (
            ("bounding-box", pull),
            ("bounding-box", taps((3, 3), (9, 15))),
            ("polygon", taps((1, 1), (20, 2), (10, 20), then="End the outline")),
            ("keypoint", taps((5, 6))),
        )
    ]
    assert marks[0]["boundingBoxes"] == [{"height": 16, "label": "Dog", "left": 2, "top": 4, "width": 10}]
    assert marks[1]["boundingBoxes"] == [{"height": 12, "label": "Dog", "left": 3, "top": 3, "width": 6}]
    assert [corner["x"] for corner in marks[2]["polygons"][0]["vertices"]] == [1, 20, 10]
    assert marks[3]["keypoints"] == [{"label": "Dog", "x": 5, "y": 6}]
    context.close()


def test_outlines_and_points_are_set_by_keyboard(market: Site, worker: Page) -> None:
    def answer(task: FrameLocator, page: Page) -> None:
        canvas = task.get_by_role("application")
        expect(task.locator(".crowd-canvas")).to_have_attribute("viewBox", "0 0 24 24")
        press(canvas, "Space", *["ArrowRight"] * 6, "Space", *["ArrowDown"] * 6, "Space", "Enter")
        send(task)

    found = crowd_answer(market, worker, MARKS % ("polygon", picture("red"), "polygon"), answer)
    [outline] = found["marks"]["polygons"]
    assert outline["vertices"] == [{"x": 12, "y": 12}, {"x": 15, "y": 12}, {"x": 15, "y": 15}]


def test_words_of_a_text_get_labels(market: Site, worker: Page) -> None:
    body = """<crowd-entity-annotation name="names" header="Names" text="Ada met Grace Hopper."
    labels="[{'label': 'person', 'shortDisplay': 'per', 'fullDisplay': 'Person'}]"></crowd-entity-annotation>"""

    def answer(task: FrameLocator, page: Page) -> None:
        text = task.get_by_role("application")
        press(text, "ArrowRight")
        task.get_by_role("button", name="Person", exact=True).click()
        press(text, "ArrowRight", "ArrowRight", "ArrowRight", "Shift+ArrowRight")
        task.get_by_role("button", name="Person", exact=True).click()
        send(task)

    found = crowd_answer(market, worker, body, answer)["names"]["entities"]
    assert found[0] == {"endOffset": 3, "label": "person", "startOffset": 0}
    assert found[1]["startOffset"] == 8


NAMES = """<crowd-entity-annotation name="names" header="Names" text="Ada met Grace Hopper." labels="['person']">
</crowd-entity-annotation>"""


def _word(task: FrameLocator, text: str) -> tuple[float, float, float]:
    """Left end, right end and height of a word on the page, in the window's pixels."""
    box = task.get_by_role("application")
    box.scroll_into_view_if_needed()
    found: list[float] = box.evaluate(
        """(box, text) => { const range = document.createRange(), node = box.firstChild, at = node.data.indexOf(text);
        range.setStart(node, at); range.setEnd(node, at + text.length);
        const word = range.getBoundingClientRect(), frame = box.getBoundingClientRect();
        return [word.left - frame.left, word.right - frame.left, (word.top + word.bottom) / 2 - frame.top]; }""",
        text,
    )
    place = box.bounding_box()
    assert place is not None
    return place["x"] + found[0], place["x"] + found[1], place["y"] + found[2]


def test_words_are_labelled_with_mouse_and_finger(market: Site, worker: Page, browser: Browser) -> None:
    def pulled(task: FrameLocator, page: Page) -> None:
        left, right, middle = _word(task, "Grace Hopper")
        page.mouse.move(left + 1, middle)
        page.mouse.down()
        page.mouse.move(right - 1, middle)
        page.mouse.up()
        task.get_by_role("button", name="person", exact=True).click()
        send(task)

    def tapped(task: FrameLocator, page: Page) -> None:
        left, right, middle = _word(task, "Ada")
        page.touchscreen.tap((left + right) / 2, middle)
        task.get_by_role("button", name="person", exact=True).tap()
        send(task)

    [both] = crowd_answer(market, worker, NAMES, pulled)["names"]["entities"]
    assert both == {"endOffset": 20, "label": "person", "startOffset": 8}
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    page = context.new_page()
    market.join(page, "ida")
    [one] = crowd_answer(market, page, NAMES, tapped)["names"]["entities"]
    assert one == {"endOffset": 3, "label": "person", "startOffset": 0}
    context.close()


def test_an_annotation_alone_has_its_own_form_and_takes_questions_of_the_page(market: Site, worker: Page) -> None:
    page = f"""{LOADER}<crowd-entity-annotation name="names" text="Ada" labels="['person']"><div id="more">
    <crowd-input name="why" label="Why"></crowd-input></div></crowd-entity-annotation><script>
    document.addEventListener('all-crowd-elements-ready', function () {{
      document.querySelector('crowd-entity-annotation').shadowRoot.querySelector('crowd-form').form.appendChild(more);
    }});</script>"""

    def answer(task: FrameLocator, page: Page) -> None:
        task.get_by_label("There is nothing to label").check()
        write(task.get_by_label("Why"), "short")
        send(task)

    xml = answered(market, worker, html_question(page), answer)
    assert '[{"names":{"entities":[]},"why":"short"}]' in xml.replace("&quot;", '"')


def test_a_draft_keeps_boxes_choices_and_several_options(market: Site, worker: Page) -> None:
    body = MARKS % ("keypoint", picture("red"), "keypoint") + CLASSIFIER
    body += '<select name="many" aria-label="Many" multiple><option>a<option>b<option>c</select>'
    hit_id = market.publish(html_question(f"{LOADER}<crowd-form>{body}</crowd-form>"))
    market.accept(worker, hit_id)
    task = worker.frame_locator("#task")
    [(x, y)] = _at(task, worker, (5, 6))
    worker.mouse.click(x, y)
    task.get_by_label("no person").check()
    with worker.expect_response("**/mturk/draft"):
        task.get_by_label("Many").select_option(["a", "c"])
    worker.reload()
    task = worker.frame_locator("#task")
    expect(task.get_by_label("no person")).to_be_checked()
    expect(task.get_by_label("Many")).to_have_values(["a", "c"])
    _at(task, worker, (5, 6))
    send(task)
    worker.wait_for_url("**/after")
    [found] = market.answers(hit_id)
    assert json.loads(found["marks"])["keypoints"] == [{"label": "Dog", "x": 5, "y": 6}]
    assert (found["kind"], found["many"]) == ("no person", "a|c")
