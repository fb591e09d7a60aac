"""Both HIT templates answered by mouse and by keyboard, on the worker site, in a real browser."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from galloway.curation.types import Side
from galloway.mturk.requester.questions import html_question
from galloway.pipeline.asking.render import render_hit
from galloway.pipeline.asking.tasks import PageKind, Picture, Tile, TileAnswer, elapsed_seconds, parse_answers
from playwright.sync_api import Browser, Frame, Locator, Page, Route, expect

from tests.support.hit_pages import TILES, coloured_task, open_task, task_frame
from tests.support.sites import PHONE, Site, picture
from tests.support.tasks import grid_task

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def _focused(page: Page, frame: Frame, selector: str) -> None:
    """The task has the keyboard, and in it the first element of that kind."""
    # Asked by the clock: the next picture, which is the default, may never be drawn on a busy machine.
    there = "s => !!document.activeElement && document.activeElement.matches(s)"
    frame.wait_for_function(there, arg=selector, polling=50)
    assert page.evaluate("document.activeElement.id") == "task"
    assert frame.evaluate("s => document.activeElement === document.querySelector(s)", selector)


def test_keep_reject_by_mouse(browser: Browser, market: Site) -> None:
    task = coloured_task(PageKind.USABLE, Side.B)
    page = browser.new_page()
    hit_id = open_task(market, page, task, "mouse")
    frame = task_frame(page)
    faces = frame.locator(".face")
    frame.get_by_role("button", name="Blurred").click()
    faces.nth(1).click()
    faces.nth(2).click()
    faces.nth(2).click()  # taken back
    frame.get_by_role("button", name="Skip").click()
    faces.nth(4).click()
    expect(frame.locator("#count")).to_have_text("2 of 6 marked")
    frame.get_by_role("button", name="Send answers").click()
    expect(frame.locator("#open")).to_contain_text("4 faces are not marked yet")
    frame.get_by_label("Keep them all").check()
    frame.get_by_role("button", name="Send answers").click()
    page.wait_for_url("**/after")
    expect(page.get_by_role("heading", name="Sent. Thank you")).to_be_visible()
    [answers] = market.answers(hit_id)
    assert parse_answers(task, answers) == [
        TileAnswer("t0", "keep", "rest"),
        TileAnswer("t1", "reject:blurred"),
        TileAnswer("t2", "keep", "rest"),
        TileAnswer("t3", "keep", "rest"),
        TileAnswer("t5", "keep", "rest"),
    ]
    assert elapsed_seconds(answers) is not None
    page.close()


def test_keep_reject_by_keyboard_alone(browser: Browser, market: Site) -> None:
    task = coloured_task(PageKind.USABLE, Side.A)
    page = browser.new_page()
    hit_id = open_task(market, page, task, "keys")
    frame = task_frame(page)
    _focused(page, frame, ".face select")
    outline = frame.evaluate("getComputedStyle(document.activeElement.closest('.face')).outlineStyle")
    assert outline == "solid"
    for key in ("1", "3", "1", "ArrowLeft", "Space", "ArrowRight", "2"):
        page.keyboard.press(key)  # keep, another person, keep → not a face, not a face
    page.keyboard.press("Enter")
    expect(frame.locator("#open")).to_contain_text("2 faces are not marked yet")
    page.keyboard.press("ArrowDown")  # the second choice: no answer for them
    page.keyboard.press("Enter")
    page.wait_for_url("**/after")
    [answers] = market.answers(hit_id)
    assert [item.value for item in parse_answers(task, answers)] == [
        "keep",
        "reject:another_person",
        "reject:not_a_face",
        "reject:not_a_face",
    ]
    page.close()


def test_a_german_phone_shows_nine_faces_and_asks_in_german(browser: Browser) -> None:
    tiles = [Tile(f"t{n}", picture("grey")) for n in range(24)]
    html = render_hit(grid_task(PageKind.BOTH, Side.A, tiles=tiles, references=[Picture(picture("navy"))]))
    context = browser.new_context(viewport={"width": 390, "height": 747}, locale="de-DE")
    page = context.new_page()
    page.set_content(html.replace("${assignmentId}", "A1").replace("${turkSubmitTo}", "http://x.example"))
    assert page.evaluate("document.documentElement.lang") == "de"
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "Behalte die Gesichter der Person auf den Fotos, auch die unscharfen"
    )
    expect(page.locator("#count")).to_have_text("0 von 24 markiert")
    whole = page.evaluate(
        "[...document.querySelectorAll('.face')].filter(f => f.getBoundingClientRect().bottom <= "
        "document.querySelector('#tools').getBoundingClientRect().top + 1).length"
    )
    assert whole >= 9
    page.keyboard.press("h")
    expect(page.locator("#how")).to_have_attribute("open", "")
    page.keyboard.press("1")
    expect(page.locator("#count")).to_have_text("1 von 24 markiert")
    expect(page.locator(".face output").first).to_have_text("Behalten")
    context.close()


def test_identity_by_touch_on_a_phone(browser: Browser, market: Site) -> None:
    task = coloured_task(PageKind.IDENTITY, Side.A)
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    page = context.new_page()
    hit_id = open_task(market, page, task, "phone")
    frame = task_frame(page)
    assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = frame.evaluate("[...document.querySelectorAll('.face,#tools [data-value]')].map(e => e.offsetHeight)")
    assert min(sizes) >= 44
    frame.get_by_role("button", name="Different").tap()
    frame.locator(".face").nth(0).tap()
    frame.get_by_role("button", name="Cannot tell").tap()
    frame.locator(".face").nth(5).tap()
    frame.get_by_label("They all show the same person").check()
    frame.get_by_role("button", name="Send answers").tap()
    page.wait_for_url("**/after")
    [answers] = market.answers(hit_id)
    labels = [item.value for item in parse_answers(task, answers)]
    assert labels == ["different", "same", "same", "same", "same", "cannot_tell"]
    context.close()


def test_identity_by_left_handed_keys_with_all_faces_marked(browser: Browser, market: Site) -> None:
    task = coloured_task(PageKind.IDENTITY, Side.B)
    page = browser.new_page()
    page.goto(f"{market.addresses.worker}/settings/keys")
    page.get_by_label("for the left-handed").check()
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Your keys are kept")).to_be_visible()
    hit_id = open_task(market, page, task, "keys2")
    frame = task_frame(page)
    _focused(page, frame, ".face select")
    assert frame.locator("#tools kbd").all_inner_texts()[:3] == ["J", "K", "L"]
    expect(frame.locator("#keys")).to_contain_text("Your keys, each for the usual one: J 1, K 2")
    for key in ("j", "k", "l", "4", "J", "2"):  # the digits are everybody's
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    page.wait_for_url("**/after")
    [answers] = market.answers(hit_id)
    assert [item.value for item in parse_answers(task, answers)] == [
        "same",
        "different",
        "cannot_tell",
        "same",
        "different",
    ]
    page.close()


def test_a_preview_cannot_be_sent(browser: Browser, market: Site) -> None:
    page = browser.new_page()
    hit_id = market.publish(html_question(render_hit(coloured_task(PageKind.USABLE, Side.A))))
    market.join(page, "looker")
    group = market.client.get_hit(HITId=hit_id)["HIT"]["HITGroupId"]
    page.goto(f"{market.addresses.worker}/mturk/preview?groupId={group}")
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("button", name="Send answers")).to_be_disabled()
    expect(frame.locator("#note")).to_contain_text("This is a preview")
    page.close()


def test_on_a_host_that_fills_nothing_the_page_takes_its_address(browser: Browser) -> None:
    page = browser.new_page()
    sent: list[str] = []

    def host(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(route.request.url + "?" + (route.request.post_data or ""))
            route.fulfill(body="thank you")
        else:
            route.fulfill(body=render_hit(coloured_task(PageKind.IDENTITY, Side.A)), content_type="text/html")

    page.route("https://*.test/**", host)
    page.goto(
        "https://content.test/hit?assignmentId=3REAL&hitId=3H&workerId=AW&turkSubmitTo=https%3A%2F%2Fwww.mturk.test"
    )
    page.locator(".face").nth(2).click()
    page.get_by_label("No answer for them").check()
    page.get_by_role("button", name="Send answers").click()
    page.get_by_text("thank you").wait_for()
    address, _, body = sent[0].partition("?")
    fields = dict(parse_qsl(body))
    assert address == "https://www.mturk.test/mturk/externalSubmit"
    assert (fields["assignmentId"], fields["face.t2"], fields["rest"]) == ("3REAL", "same", "skip")
    page.close()


def test_the_next_task_comes_by_itself_when_asked(browser: Browser, market: Site) -> None:
    page = browser.new_page()
    task = coloured_task(PageKind.USABLE, Side.A)
    xml = html_question(render_hit(task))
    hits = {market.publish(xml, title="One after the other", places=1) for _ in range(2)}
    market.join(page, "chain")
    held = market.accept(page, min(hits))
    page.get_by_label("take the next one by itself").check()
    frame = task_frame(page)
    frame.get_by_label("Keep them all").check()
    frame.get_by_role("button", name="Send answers").click()
    page.wait_for_url(lambda url: "/work/" in url and held not in url)
    expect(page.get_by_label("take the next one by itself")).to_be_checked()
    assert [len(market.answers(hit)) for hit in (min(hits), max(hits))] == [1, 0]
    page.close()


def test_one_by_one_on_a_phone_with_undo(browser: Browser, market: Site) -> None:
    """Each face large with the reference beside it; a mark goes on to the next face and can be taken back."""
    task = coloured_task(PageKind.USABLE, Side.B)
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    page = context.new_page()
    hit_id = open_task(market, page, task, "near")
    frame = task_frame(page)
    frame.get_by_role("button", name="Face 2 large").tap()
    near = frame.get_by_role("dialog")
    expect(near.get_by_text("Face 2 of 6")).to_be_visible()
    assert near.locator("#refs img").get_attribute("src") == picture("navy", 400), "the person, as large as the face"
    assert near.locator("#big").get_attribute("src") == TILES[1].large, "the real crop, not the small picture enlarged"
    assert near.evaluate("d => d.scrollHeight <= d.clientHeight && d.clientWidth <= innerWidth")
    near.get_by_role("button", name="Blurred").tap()
    expect(near.get_by_text("Face 3 of 6")).to_be_visible()
    near.get_by_role("button", name="Keep").tap()
    page.keyboard.press("Control+z")
    expect(near.get_by_text("Face 3 of 6", exact=True)).to_be_visible()
    near.get_by_role("button", name="Covered").tap()
    near.get_by_role("button", name="Close").tap()
    expect(frame.locator("#count")).to_have_text("2 of 6 marked")
    frame.get_by_role("button", name="Undo").tap()
    expect(frame.locator("#count")).to_have_text("1 of 6 marked")
    frame.locator("[name=rest][value=skip]").check()
    frame.get_by_role("button", name="Send answers").tap()
    page.wait_for_url("**/after")
    assert parse_answers(task, market.answers(hit_id)[0]) == [TileAnswer("t1", "reject:blurred")]
    context.close()


def test_one_by_one_by_keyboard(browser: Browser, market: Site) -> None:
    task = coloured_task(PageKind.IDENTITY, Side.B)
    page = browser.new_page()
    hit_id = open_task(market, page, task, "nearkeys")
    frame = task_frame(page)
    _focused(page, frame, ".face select")
    for key in ("z", "1", "2", "ArrowLeft", "3", "ArrowRight", "1", "1", "1"):
        page.keyboard.press(key)  # same, different → cannot tell, over the third, three times same
    expect(frame.get_by_role("dialog"), "after the last face the page is there again").not_to_be_visible()
    frame.locator("[name=rest][value=skip]").check()
    page.keyboard.press("Enter")
    page.wait_for_url("**/after")
    found = [(item.key, item.value) for item in parse_answers(task, market.answers(hit_id)[0])]
    assert found == [("t0", "same"), ("t1", "cannot_tell"), ("t3", "same"), ("t4", "same"), ("t5", "same")]
    page.close()


def test_groups_by_keyboard_with_odd_ones_and_undo(browser: Browser, market: Site) -> None:
    """Two groups of three: a number answers a group, right and a number marks the odd one, capital letters are keys."""
    task = coloured_task(PageKind.CLUSTER, Side.B)
    page = browser.new_page()
    hit_id = open_task(market, page, task, "groupkeys")
    frame = task_frame(page)
    _focused(page, frame, ".all select")
    for key in ("1", "3", "Control+z", "ArrowRight", "ArrowRight", "4"):
        page.keyboard.press(key)  # keep; another person, taken back; the second face of that group is blurred
    expect(frame.locator("#count")).to_have_text("4 of 6 marked")
    for key in ("ArrowUp", "R", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**/after")
    [answers] = market.answers(hit_id)
    assert parse_answers(task, answers) == [
        TileAnswer("t0", "keep", "1"),
        TileAnswer("t1", "keep", "1"),
        TileAnswer("t2", "keep", "1"),
        TileAnswer("t3", "keep", "rest"),
        TileAnswer("t4", "reject:blurred"),
        TileAnswer("t5", "keep", "rest"),
    ]
    page.close()


@pytest.mark.parametrize("phone", [False, True], ids=["mouse", "finger"])
def test_groups_by_mouse_and_by_finger(browser: Browser, market: Site, phone: bool) -> None:
    task = coloured_task(PageKind.CLUSTER, Side.A)
    size = {"viewport": PHONE, "has_touch": True, "is_mobile": True} if phone else {}
    context = browser.new_context(**size)  # type: ignore[arg-type]
    page = context.new_page()
    hit_id = open_task(market, page, task, f"groups{phone}")
    frame = task_frame(page)
    assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    first, second = frame.locator(".group").all()

    def press(target: Locator) -> None:
        target.tap() if phone else target.click()

    press(first.get_by_role("button", name="Keep"))
    press(first.locator(".face").nth(2))  # an odd one: another person, which the bar proposes
    bar = frame.locator("#tools")
    press(bar.get_by_role("button", name="Not a face"))
    press(second.get_by_role("button", name="Not a face"))
    press(second.locator(".face").nth(0))  # marked as its group is: nothing odd, taken back
    press(bar.get_by_role("button", name="Undo"))
    press(frame.get_by_role("button", name="Send answers"))
    page.wait_for_url("**/after")
    [answers] = market.answers(hit_id)
    assert [(item.value, item.by) for item in parse_answers(task, answers)] == [
        ("keep", "1"),
        ("keep", "1"),
        ("reject:another_person", "face"),
        *[("reject:not_a_face", "2")] * 3,
    ]
    context.close()


def test_groups_without_javascript(browser: Browser, market: Site) -> None:
    task = coloured_task(PageKind.MERGE, Side.A)
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    hit_id = open_task(market, page, task, "nogroups")
    frame = page.frame_locator("#task")
    frame.locator("[name='group.1']").select_option("Same person")
    frame.locator("[name='face.t1']").select_option("Cannot tell")
    frame.get_by_label("They all show somebody else").check()
    frame.get_by_role("button", name="Send answers").click()
    frame.get_by_role("heading", name="Your answers have arrived").wait_for()
    [answers] = market.answers(hit_id)
    assert [item.value for item in parse_answers(task, answers)] == ["same", "cannot_tell", "same", *["different"] * 3]
    context.close()


def test_pairs_one_by_one_show_the_picture_that_stands_beside(browser: Browser, market: Site) -> None:
    task = coloured_task(PageKind.PAIR, Side.A)
    page = browser.new_page()
    hit_id = open_task(market, page, task, "pairs")
    frame = task_frame(page)
    _focused(page, frame, ".face select")
    page.keyboard.press("Z")
    near = frame.get_by_role("dialog")
    assert near.locator("#refs img").get_attribute("src") == picture("navy", 400)
    for key in ("1", "2", "3", "1", "2", "1"):
        page.keyboard.press(key)
    expect(near).not_to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url("**/after")
    found = [item.value for item in parse_answers(task, market.answers(hit_id)[0])]
    assert found == ["same", "different", "cannot_tell", "same", "different", "same"]
    page.close()


@pytest.mark.parametrize("late", ["site.css", "work.js", "frame.js", "frame/a.*"])
def test_the_task_has_keyboard_and_width_whichever_document_comes_last(
    browser: Browser, market: Site, late: str
) -> None:
    page = browser.new_page()
    held: list[Route] = []
    hit_id = market.publish(html_question(render_hit(coloured_task(PageKind.PAIR, Side.A))))
    market.join(page, f"late-{late[:8]}".replace("/", "-"))
    group = market.client.get_hit(HITId=hit_id)["HIT"]["HITGroupId"]
    page.goto(f"{market.addresses.worker}/projects/{group}/tasks/{hit_id}")
    page.route(f"**/{late}", lambda route: held.append(route))
    page.get_by_role("button", name="Accept").click(no_wait_after=True)
    while not held:
        page.wait_for_timeout(50)
    page.wait_for_timeout(300)  # what is not late is there
    for route in held:
        route.continue_()
    frame = task_frame(page)
    _focused(page, frame, ".face select")
    frame.wait_for_function("document.getElementById('how').open", polling=50)  # as on a wide page
    page.close()


def test_a_mark_goes_on_to_the_next_open_face(browser: Browser, market: Site) -> None:
    page = browser.new_page()
    open_task(market, page, coloured_task(PageKind.BOTH, Side.A), "advance")
    frame = task_frame(page)
    _focused(page, frame, ".face select")
    for key in ("1", "1", "1", "Home", "2"):  # three faces, then the first one once more
        page.keyboard.press(key)
    assert (
        frame.evaluate("[...document.querySelectorAll('.face')].indexOf(document.activeElement.closest('.face'))") == 3
    )
    page.close()


@pytest.mark.parametrize("kind", list(PageKind))
@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, PHONE], ids=["desk", "phone"])
def test_the_first_face_is_seen_without_scrolling(browser: Browser, kind: PageKind, size: dict[str, int]) -> None:
    """Instructions stand beside the faces, or fold away on a phone; without a script a link leads past them."""
    html = render_hit(coloured_task(kind, Side.B))
    for script in (True, False):
        context = browser.new_context(viewport=size, java_script_enabled=script)  # type: ignore[arg-type]
        page = context.new_page()
        page.set_content(html)
        face, bar = page.locator(".face").first.bounding_box(), page.locator("#tools").bounding_box()
        assert face is not None
        if script:
            assert bar is not None
            assert face["y"] + 80 < bar["y"], "at least the eyes"
        expect(page.get_by_role("link", name="To the faces")).to_be_visible(visible=not script)
        context.close()


@pytest.mark.parametrize(
    ("browsers", "chosen", "dark"), [("dark", "", True), ("light", "dark", True), ("dark", "light", False)]
)
def test_the_page_is_dark_where_its_reader_wants_it(
    browser: Browser, market: Site, browsers: str, chosen: str, dark: bool
) -> None:
    context = browser.new_context(color_scheme=browsers)  # type: ignore[arg-type]
    page = context.new_page()
    open_task(market, page, coloured_task(PageKind.IDENTITY, Side.B), f"{browsers}-{chosen}")
    if chosen:
        context.add_cookies([{"name": "theme_choice", "value": chosen, "url": market.addresses.worker}])
        page.reload()
    ground = task_frame(page).evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, ground[4:-1].split(", "))) < 150) is dark, ground
    context.close()
