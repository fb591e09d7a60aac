"""Pages of crowd elements and pages from Mechanical Turk's website, answered in a real browser: nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect

from tests.support.loopback import serving
from tests.support.marketplace import external_question, html_question
from tests.support.sites import PHONE, Site, picture

pytestmark = [pytest.mark.browser, pytest.mark.slow]
LOADER = '<!DOCTYPE html><script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
Answer = Callable[[FrameLocator, Page], None]


@pytest.fixture(scope="module")
def worker(browser: Browser, market: Site) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    market.join(page, "ann")
    yield page
    context.close()


def _send(task: FrameLocator) -> None:
    task.get_by_role("button", name="Submit").click()


def _type(field: Locator, text: str) -> None:
    """As a person does: click, then keys. Keys alone may come before the browser knows that they are the frame's."""
    field.click()
    field.press_sequentially(text)


def _answered(market: Site, page: Page, question: str, answer: Answer) -> str:
    """The stored answer XML of what the worker did with the page."""
    hit_id = market.publish(question)
    market.accept(page, hit_id)
    answer(page.frame_locator("#task"), page)
    page.wait_for_url("**/after")
    [found] = market.client.list_assignments_for_hit(HITId=hit_id)["Assignments"]
    return str(found["Answer"])


def _crowd(market: Site, page: Page, body: str, answer: Answer) -> Any:
    """What `taskAnswers` holds, which is the only answer."""
    xml = _answered(market, page, html_question(f"{LOADER}<crowd-form>{body}</crowd-form>"), answer)
    assert xml.count("<Answer>") == 1
    assert "<QuestionIdentifier>taskAnswers</QuestionIdentifier>" in xml
    text = xml.partition("<FreeText>")[2].partition("</FreeText>")[0]
    [found] = json.loads(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))
    return found


CLASSIFIER = """<crowd-classifier name="kind" categories="['person', 'no person']" header="What is it?">
<classification-target>x</classification-target></crowd-classifier>"""


def test_categories_in_single_quotes_are_choices_and_one_is_needed(market: Site, worker: Page) -> None:
    def answer(task: FrameLocator, page: Page) -> None:
        _send(task)
        page.wait_for_timeout(300)
        assert "/after" not in page.url
        task.get_by_label("person", exact=True).check()
        _send(task)

    assert _crowd(market, worker, CLASSIFIER, answer) == {"kind": {"label": "person"}}


def test_several_labels_need_one_and_none_of_them_excludes_the_others(market: Site, worker: Page) -> None:
    body = """<crowd-classifier-multi-select name="what" categories="['cat','dog',]" header="Which?"
    exclusion-category="{ text: 'None of these' }"></crowd-classifier-multi-select>"""

    def answer(task: FrameLocator, page: Page) -> None:
        _send(task)
        expect(task.get_by_role("alert")).to_have_text("Choose at least one.")
        task.get_by_label("None of these").check()
        task.get_by_label("cat").check()
        task.get_by_label("dog").check()
        expect(task.get_by_label("None of these")).not_to_be_checked()
        _send(task)

    assert _crowd(market, worker, body, answer) == {"what": {"labels": ["cat", "dog"]}}


def test_limits_patterns_and_first_values_of_fields_hold(market: Site, worker: Page) -> None:
    body = """<crowd-input name="code" label="Code" max-length="4" min-length="2" allowed-pattern="[0-9]" auto-validate
    error-message="Digits only"></crowd-input><crowd-input name="city" label="City" initial-value="Bonn"></crowd-input>
    <crowd-text-area name="why" label="Why" max-length="5" required></crowd-text-area>
    <select name="many" aria-label="Many" multiple><option>a<option>b<option value="see">c</select>"""

    def answer(task: FrameLocator, page: Page) -> None:
        _type(task.get_by_label("Code"), "a1b2345")
        expect(task.get_by_label("Code")).to_have_value("1234")
        expect(task.get_by_label("City")).to_have_value("Bonn")
        task.get_by_label("Many").select_option(["a", "see"])
        _send(task)
        page.wait_for_timeout(300)
        assert "/after" not in page.url, "the reason is required"
        _type(task.get_by_label("Why"), "because")
        _send(task)

    found = _crowd(market, worker, body, answer)
    assert found == {"code": "1234", "city": "Bonn", "why": "becau", "many": ["a", "see"]}


def test_required_radio_groups_boxes_and_sliders_are_required(market: Site, worker: Page) -> None:
    body = """<crowd-radio-group required><crowd-radio-button name="yes" value="on">Yes</crowd-radio-button>
    <crowd-radio-button name="no" value="on">No</crowd-radio-button></crowd-radio-group>
    <crowd-checkbox name="agree" required>Agree</crowd-checkbox>
    <crowd-toggle-button name="lit">Lit</crowd-toggle-button>
    <crowd-slider name="how" label="How much" min="0" max="10" required></crowd-slider>
    <crowd-rating name="stars" label="Stars" max="3" required></crowd-rating>"""

    def answer(task: FrameLocator, page: Page) -> None:
        task.get_by_label("Agree").check()
        task.get_by_label("2", exact=True).check()
        _send(task)
        expect(task.get_by_role("alert")).to_have_text(["Choose one.", "Move the slider to your answer."])
        task.get_by_label("No", exact=True).check()
        task.get_by_label("How much").press("ArrowRight")
        _send(task)

    found = _crowd(market, worker, body, answer)
    assert found.pop("how") == "6"
    assert found == {
        "yes": {"on": False},
        "no": {"on": True},
        "agree": {"on": True},
        "lit": {"on": False},
        "stars": "2",
    }


def test_elements_and_categories_that_a_script_brings_later_work(market: Site, worker: Page) -> None:
    body = """<crowd-classifier name="kind" header="Kind"></crowd-classifier></crowd-form><script>
    window.addEventListener('load', function () { setTimeout(function () {
      var made = document.createElement('crowd-input');
      made.setAttribute('name', 'late'); made.setAttribute('label', 'Late');
      document.querySelector('crowd-form').appendChild(made);
      document.querySelector('crowd-classifier').categories = ['left', 'right'];
    }, 100); });</script><crowd-form hidden>"""

    def answer(task: FrameLocator, page: Page) -> None:
        task.get_by_label("Late").fill("here")
        task.get_by_label("right").check()
        _send(task.locator("crowd-form").first)  # type: ignore[arg-type]

    assert _crowd(market, worker, body, answer) == {"kind": {"label": "right"}, "late": "here"}


TIERS = """<crowd-classifier name="kind" categories="['x']" header="Kind">
<classification-target>y</classification-target><short-instructions>Look</short-instructions><full-instructions>Well</full-instructions></crowd-classifier>
<crowd-button id="send" form-action="submit">Submit</crowd-button></crowd-form><script>
document.addEventListener('all-crowd-elements-ready', function () {
  var kind = document.querySelector('crowd-classifier');
  kind.shadowRoot.querySelector('.awsui-app-layout__navigation').style.width = '300px';
  kind.shadowRoot.querySelector('.awsui-modal-dialog').style.maxWidth = '90%';
  var card = document.createElement('crowd-card'), seen = [];
  customElements.whenDefined('crowd-classifier').then(function () {
    kind.shadowRoot.querySelector('.annotation-area .category-picker-wrapper').insertAdjacentElement('afterend', card);
    kind.categories = ['good', 'bad'];
    kind.addEventListener('change', function (event) {
      seen.push(event.target.value);
      card.innerHTML = '<label><input type="checkbox" name="why" value="dull">Dull</label>' +
        '<input type="hidden" name="seen" value="' + seen.join() + ' ' + kind.value + '">';
    });
  });
});</script><crowd-form hidden>"""


def test_questions_that_a_script_puts_beside_the_choices_are_asked_and_stored(market: Site, worker: Page) -> None:
    """Scripts of AWS's templates wait for the elements to be defined, and look into their shadows."""

    def answer(task: FrameLocator, page: Page) -> None:
        task.get_by_label("bad").check()
        task.get_by_label("Dull").check()
        _send(task.locator("crowd-form").first)  # type: ignore[arg-type]

    stored = {"kind": {"label": "bad"}, "why": {"dull": True}, "seen": "bad bad"}
    assert _crowd(market, worker, TIERS, answer) == stored


def test_scripts_find_the_picture_and_read_the_labels_as_json(market: Site, worker: Page) -> None:
    script = """<input name="found" type="hidden"></crowd-form><script>
    window.addEventListener('load', function () {
      var points = document.querySelector('crowd-keypoint');
      var area = points.shadowRoot.querySelector('canvas.upper-canvas').getBoundingClientRect();
      document.querySelector('[name=found]').value = points.getAttribute('labels') + (area.width > 0);
    });</script><crowd-form hidden>"""

    def answer(task: FrameLocator, page: Page) -> None:
        [(x, y)] = _at(task, page, (5, 6))
        page.mouse.click(x, y)
        _send(task.locator("crowd-form").first)  # type: ignore[arg-type]

    found = _crowd(market, worker, MARKS % ("keypoint", picture("red"), "keypoint") + script, answer)
    assert found["found"] == '["Dog","Cat"]true'
    assert found["marks"]["keypoints"] == [{"label": "Dog", "x": 5, "y": 6}]


def test_what_nobody_can_answer_is_refused_when_the_hit_is_made(market: Site) -> None:
    for body, words in (
        (
            '<crowd-semantic-segmentation name="s"></crowd-semantic-segmentation>',
            "<crowd-semantic-segmentation> is not",
        ),
        ('<crowd-classifier name="k" categories="cats, dogs"></crowd-classifier>', "categories of <crowd-classifier>"),
        ('<crowd-bounding-box name="k" labels="{{ task.labels }}"></crowd-bounding-box>', "labels of <crowd-bounding"),
    ):
        with pytest.raises(ClientError, match=words) as refused:
            market.publish(html_question(f"{LOADER}<crowd-form>{body}</crowd-form>"))
        assert refused.value.response["TurkErrorCode"] == "AWS.MechanicalTurk.InvalidParameterValue"


def test_a_page_that_cannot_be_answered_cannot_be_sent(market: Site, worker: Page) -> None:
    late = """<crowd-input name="a" label="A"></crowd-input></crowd-form><script>
    window.addEventListener('load', function () {
    document.querySelector('form').append(document.createElement('crowd-semantic-segmentation')); });</script>"""
    hit_id = market.publish(html_question(f"{LOADER}<crowd-form>{late}"))
    assignment = market.accept(worker, hit_id)
    task = worker.frame_locator("#task")
    expect(task.get_by_role("alert")).to_contain_text("nothing is sent")
    expect(task.get_by_role("button", name="Submit")).to_be_disabled()
    task.locator("form").evaluate("form => form.submit()")
    worker.wait_for_timeout(300)
    assert "/after" not in worker.url
    assert market.answers(hit_id) == []
    worker_id = worker.context.request.get(f"{market.addresses.worker}/account/data.json").json()["worker"]["id"]
    market.work.return_(worker_id, assignment)


def test_a_preview_says_what_the_page_lacks(market: Site, worker: Page) -> None:
    hit_id = market.publish(html_question("<p>Hello</p>"))
    group = market.client.get_hit(HITId=hit_id)["HIT"]["HITGroupId"]
    worker.goto(f"{market.addresses.worker}/projects/{group}/tasks/{hit_id}")
    expect(worker.frame_locator("iframe").get_by_role("note")).to_contain_text("The page has no form")


MARKS = """<crowd-%s name="marks" src="%s" labels="['Dog', 'Cat']" header="Mark them"></crowd-%s>"""


def _at(task: FrameLocator, page: Page, *spots: tuple[float, float]) -> list[tuple[float, float]]:
    """Places on the picture, in the window's pixels."""
    canvas = task.locator(".crowd-canvas")
    canvas.scroll_into_view_if_needed()
    expect(canvas).to_have_attribute("viewBox", "0 0 24 24")
    box = canvas.bounding_box()
    assert box is not None
    return [(box["x"] + x * box["width"] / 24, box["y"] + y * box["height"] / 24) for x, y in spots]


def test_boxes_are_drawn_with_mouse_and_keyboard(market: Site, worker: Page) -> None:
    def answer(task: FrameLocator, page: Page) -> None:
        _send(task)
        expect(task.get_by_role("alert")).to_contain_text("Mark something")
        (x, y), (to_x, to_y) = _at(task, page, (2, 4), (12, 20))
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(to_x, to_y)
        page.mouse.up()
        task.get_by_label("Cat").check()
        canvas = task.get_by_role("application")
        for key in ("Space", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown", "Space"):
            canvas.press(key)
        _send(task)

    found = _crowd(market, worker, MARKS % ("bounding-box", picture("red"), "bounding-box"), answer)["marks"]
    assert found["inputImageProperties"] == {"height": 24, "width": 24}
    first, second = found["boundingBoxes"]
    assert first == {"height": 16, "label": "Dog", "left": 2, "top": 4, "width": 10}
    assert (second["label"], second["left"], second["top"]) == ("Cat", 12, 20)


def test_outlines_and_points_come_in_the_documented_shapes(market: Site, worker: Page) -> None:
    def outline(task: FrameLocator, page: Page) -> None:
        for x, y in _at(task, page, (1, 1), (20, 2), (10, 20)):
            page.mouse.click(x, y)
        task.get_by_role("button", name="End the outline").click()
        _send(task)

    def points(task: FrameLocator, page: Page) -> None:
        for x, y in _at(task, page, (5, 6), (9, 9)):
            page.mouse.click(x, y)
        task.get_by_role("button", name="Remove Dog 2").click()
        _send(task)

    found = _crowd(market, worker, MARKS % ("polygon", picture("red"), "polygon"), outline)["marks"]
    corners = [{"x": 1, "y": 1}, {"x": 20, "y": 2}, {"x": 10, "y": 20}]
    assert found["polygons"] == [{"label": "Dog", "vertices": corners}]
    found = _crowd(market, worker, MARKS % ("keypoint", picture("red"), "keypoint"), points)["marks"]
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
        _send(task)

    def taps(*spots: tuple[float, float], then: str = "") -> Answer:
        def answer(task: FrameLocator, page: Page) -> None:
            for x, y in _at(task, page, *spots):
                page.touchscreen.tap(x, y)
            if then:
                task.get_by_role("button", name=then).tap()
            _send(task)

        return answer

    marks = [
        _crowd(market, page, MARKS % (kind, picture("red"), kind), answer)["marks"]
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
        for key in ("Space", *["ArrowRight"] * 6, "Space", *["ArrowDown"] * 6, "Space", "Enter"):
            canvas.press(key)
        _send(task)

    [outline] = _crowd(market, worker, MARKS % ("polygon", picture("red"), "polygon"), answer)["marks"]["polygons"]
    assert outline["vertices"] == [{"x": 12, "y": 12}, {"x": 15, "y": 12}, {"x": 15, "y": 15}]


def test_words_of_a_text_get_labels(market: Site, worker: Page) -> None:
    body = """<crowd-entity-annotation name="names" header="Names" text="Ada met Grace Hopper."
    labels="[{'label': 'person', 'shortDisplay': 'per', 'fullDisplay': 'Person'}]"></crowd-entity-annotation>"""

    def answer(task: FrameLocator, page: Page) -> None:
        text = task.get_by_role("application")
        text.press("ArrowRight")
        task.get_by_role("button", name="Person", exact=True).click()
        for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Shift+ArrowRight"):
            text.press(key)
        task.get_by_role("button", name="Person", exact=True).click()
        _send(task)

    found = _crowd(market, worker, body, answer)["names"]["entities"]
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
        _send(task)

    def tapped(task: FrameLocator, page: Page) -> None:
        left, right, middle = _word(task, "Ada")
        page.touchscreen.tap((left + right) / 2, middle)
        task.get_by_role("button", name="person", exact=True).tap()
        _send(task)

    [both] = _crowd(market, worker, NAMES, pulled)["names"]["entities"]
    assert both == {"endOffset": 20, "label": "person", "startOffset": 8}
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    page = context.new_page()
    market.join(page, "ida")
    [one] = _crowd(market, page, NAMES, tapped)["names"]["entities"]
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
        task.get_by_label("Why").fill("short")
        _send(task)

    xml = _answered(market, worker, html_question(page), answer)
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
    _send(task)
    worker.wait_for_url("**/after")
    [found] = market.answers(hit_id)
    assert json.loads(found["marks"])["keypoints"] == [{"label": "Dog", "x": 5, "y": 6}]
    assert (found["kind"], found["many"]) == ("no person", "a|c")


def test_tabs_modals_and_cards_show_what_they_hold(market: Site, worker: Page) -> None:
    body = """<crowd-tabs><crowd-tab header="First"><p>one</p></crowd-tab><crowd-tab header="Second">
    <crowd-input name="in-second" label="Two" required></crowd-input></crowd-tab></crowd-tabs>
    <crowd-modal link-text="Help"><p>helpful</p></crowd-modal><crowd-alert dismissible>careful</crowd-alert>
    <crowd-card heading="Card">text</crowd-card><crowd-badge label="3"></crowd-badge>
    <input type="hidden" name="action" id="submit">"""

    def answer(task: FrameLocator, page: Page) -> None:
        expect(task.get_by_text("one")).to_be_visible()
        task.get_by_role("button", name="Help").click()
        expect(task.get_by_text("helpful")).to_be_visible()
        task.get_by_role("dialog").get_by_role("button", name="Close").click()
        _send(task)  # the required field on the hidden page comes to the front
        expect(task.get_by_label("Two")).to_be_visible()
        task.get_by_label("Two").fill("2")
        expect(task.get_by_label("Two")).to_have_value("2")
        _send(task)

    assert _crowd(market, worker, body, answer) == {"in-second": "2", "action": ""}


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
    xml = _answered(market, worker, html_question(page), lambda task, _: _send(task))
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
        _send(task)

    xml = _answered(market, worker, external_question(elsewhere), answer)
    assert xml.count("<Answer>") == 1
    assert '{"kind":{"label":"person"}}' in xml
