"""Pages of crowd elements answered in a real browser: choices, fields, layout; nothing is lost."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from playwright.sync_api import FrameLocator, Page, expect

from tests.support.crowd import CLASSIFIER, LOADER, crowd_answer, press, send, type_keys, write
from tests.support.marketplace import html_question
from tests.support.sites import Site

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_categories_in_single_quotes_are_choices_and_one_is_needed(market: Site, worker: Page) -> None:
    def answer(task: FrameLocator, page: Page) -> None:
        send(task)
        page.wait_for_timeout(300)
        assert "/after" not in page.url
        task.get_by_label("person", exact=True).check()
        send(task)

    assert crowd_answer(market, worker, CLASSIFIER, answer) == {"kind": {"label": "person"}}


def test_several_labels_need_one_and_none_of_them_excludes_the_others(market: Site, worker: Page) -> None:
    body = """<crowd-classifier-multi-select name="what" categories="['cat','dog',]" header="Which?"
    exclusion-category="{ text: 'None of these' }"></crowd-classifier-multi-select>"""

    def answer(task: FrameLocator, page: Page) -> None:
        send(task)
        expect(task.get_by_role("alert")).to_have_text("Choose at least one.")
        task.get_by_label("None of these").check()
        task.get_by_label("cat").check()
        task.get_by_label("dog").check()
        expect(task.get_by_label("None of these")).not_to_be_checked()
        send(task)

    assert crowd_answer(market, worker, body, answer) == {"what": {"labels": ["cat", "dog"]}}


def test_limits_patterns_and_first_values_of_fields_hold(market: Site, worker: Page) -> None:
    body = """<crowd-input name="code" label="Code" max-length="4" min-length="2" allowed-pattern="[0-9]" auto-validate
    error-message="Digits only"></crowd-input><crowd-input name="city" label="City" initial-value="Bonn"></crowd-input>
    <crowd-text-area name="why" label="Why" max-length="5" required></crowd-text-area>
    <select name="many" aria-label="Many" multiple><option>a<option>b<option value="see">c</select>"""

    def answer(task: FrameLocator, page: Page) -> None:
        type_keys(task.get_by_label("Code"), "a1b2345")
        expect(task.get_by_label("Code")).to_have_value("1234")
        expect(task.get_by_label("City")).to_have_value("Bonn")
        task.get_by_label("Many").select_option(["a", "see"])
        send(task)
        page.wait_for_timeout(300)
        assert "/after" not in page.url, "the reason is required"
        type_keys(task.get_by_label("Why"), "because")
        send(task)

    found = crowd_answer(market, worker, body, answer)
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
        send(task)
        expect(task.get_by_role("alert")).to_have_text(["Choose one.", "Move the slider to your answer."])
        task.get_by_label("No", exact=True).check()
        press(task.get_by_label("How much"), "ArrowRight")
        expect(task.get_by_label("How much")).to_have_value("6")
        send(task)

    found = crowd_answer(market, worker, body, answer)
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
        write(task.get_by_label("Late"), "here")
        task.get_by_label("right").check()
        send(task.locator("crowd-form").first)  # type: ignore[arg-type]

    assert crowd_answer(market, worker, body, answer) == {"kind": {"label": "right"}, "late": "here"}


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
        send(task.locator("crowd-form").first)  # type: ignore[arg-type]

    stored = {"kind": {"label": "bad"}, "why": {"dull": True}, "seen": "bad bad"}
    assert crowd_answer(market, worker, TIERS, answer) == stored


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
        send(task)  # the required field on the hidden page comes to the front
        expect(task.get_by_label("Two")).to_be_visible()
        write(task.get_by_label("Two"), "2")
        expect(task.get_by_label("Two")).to_have_value("2")
        send(task)

    assert crowd_answer(market, worker, body, answer) == {"in-second": "2", "action": ""}
