"""The pages of a film's review: alone, with taking back and marking, and the timeline."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from galloway.pipeline.app import App
from galloway.pipeline.judging.alone import answer_own, next_own
from galloway.pipeline.judging.covers import footage_to_paint
from galloway.pipeline.judging.film import JudgedFilm
from galloway.pipeline.judging.masks import write_masks
from galloway.pipeline.judging.outcome import film_judged
from galloway.pipeline.stages.erase import erase_person, plan_erasure
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.door import Door
from galloway.pipeline.web.opened import jobs
from galloway.pipeline.workspace.films import found_beside
from galloway.pipeline.workspace.judged import moments_of, swap_media, swap_votes
from galloway.pipeline.workspace.team import Role, add_member
from galloway.pipeline.workspace.traces import names_in

from tests.support.judged import FRAMES, call_covered, film_app

NAME = "clipa-swapped.mp4"
Opened = tuple[App, JudgedFilm, FlaskClient]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    app, film = film_app(tmp_path_factory.mktemp("ws") / "ws")
    site = create_web_app(app.workspace)
    client = site.test_client()
    client.post(f"/judge/{NAME}/as", data={"by": "Ann Example"})
    yield app, film, client
    jobs(site).close()


def answer(client: FlaskClient, html: str, word: str) -> int:
    """Send the page with `word` for each of its moments; how many there were."""
    action = re.search(r'action="(/judge/[^"]+)"', html)
    assert action is not None
    keys = sorted(set(re.findall(r'name="moment\.([0-9a-f]+)"', html)))
    fields = {f"moment.{key}": word for key in keys}
    if word == "marked":
        fields |= {f"cell.{key}.2.3": "on" for key in keys}
    assert client.post(action[1], data=fields).status_code == 303
    return len(keys)


def test_the_page_says_with_which_model_frames_are_swapped_again(opened: Opened) -> None:
    _app, film, client = opened
    path = found_beside(film.path).record
    before = path.read_text()
    for settings, told in (({}, "with the newest model"), ({"model": "older"}, "with the model older")):
        path.write_text(json.dumps(json.loads(before) | {"swapped_frames": [[1, 9]], "settings": settings}))
        assert f">Swap them {told}</button>" in client.get(f"/judge/{NAME}").text
    path.write_text(before)


def test_the_page_says_where_hardly_anything_is_swapped(opened: Opened) -> None:
    _app, film, client = opened
    path = found_beside(film.path).record
    before = path.read_text()
    assert "Hardly anything" not in client.get(f"/judge/{NAME}").text
    path.write_text(json.dumps(json.loads(before) | {"hidden_frames": [[3, 3], [7, 9]]}))
    page = " ".join(client.get(f"/judge/{NAME}").text.split())
    path.write_text(before)
    assert "or its landmarks do not fit: 3, 7–9." in page


def test_one_person_reviews_a_film_to_its_end(opened: Opened) -> None:
    app, film, client = opened
    before = client.get(f"/judge/{NAME}")
    assert before.status_code == 200
    assert '<svg class="timeline"' in before.text
    first = client.get(f"/judge/{NAME}/next").text
    for address in set(re.findall(rf'src="(/judge/{NAME}/media/[^"]+)"', first)):
        shown = client.get(address)
        assert (shown.status_code, len(shown.data) > 500) == (200, True)
    count = answer(client, first, "person")
    assert len(swap_votes(app.workspace, film.id)) == count
    back = re.search(r'formaction="(/judge/[^"]+/back[^"]+)"', client.get(f"/judge/{NAME}/next").text)
    assert back is not None
    client.post(back[1])
    assert swap_votes(app.workspace, film.id) == []
    assert "/back" not in client.get(f"/judge/{NAME}/next").text, "there is nothing to take back"
    answer(client, client.get(f"/judge/{NAME}/next").text, "covered")
    marked = 0
    for _ in range(40):
        page = client.get(f"/judge/{NAME}/next")
        if page.status_code == 303:
            break
        scribble = 'class="scribble"' in page.text
        marked += scribble
        answer(client, page.text, "marked" if scribble else "fine")
    assert (page.status_code, marked > 0) == (303, True)
    found = film_judged(app, film)
    assert found.audited >= 2 and found.unsettled == 0
    assert {item.status for item in found.judged if item.moment.why} == {"fine", "broken"}
    assert all(item.by_person for item in found.judged if item.status != "unasked")
    paths = write_masks(app, film, app.workspace.root / "masks")
    assert paths
    after = client.get(f"/judge/{NAME}").text
    assert "does not hold: covered, by a person" in after
    assert 'class="j-broken"' in after
    again = after[after.index('name="where" value="approved"') :]
    assert f'name="film" value="{film.name}"' in again and "Make the film again" in again


def test_a_film_is_shown_while_its_footage_is_missing(tmp_path: Path) -> None:
    app, film = film_app(tmp_path / "ws")
    record = found_beside(film.path).record
    record.write_text(json.dumps(json.loads(record.read_text()) | {"swapped_frames": [[1, FRAMES]]}))
    client = create_web_app(app.workspace).test_client()
    client.post(f"/judge/{NAME}/as", data={"by": "Ann"})
    answer(client, client.get(f"/judge/{NAME}/next").text, "person")
    before = client.get(f"/judge/{NAME}").text
    film.source.path.unlink()
    shown = client.get(f"/judge/{NAME}")
    assert shown.status_code == 200
    assert "The footage sources/a/clipa.mp4 is missing" in shown.text and 'href="/footage"' in shown.text
    needing = ("Review it yourself", "Ask workers", "Make some frames again", "Make the film again")
    assert [(text in before, text in shown.text) for text in needing] == [(True, False)] * len(needing)
    for text in ('<svg class="timeline"', "What people say", "Wipe: so much of the original"):
        assert text in shown.text
    found_beside(film.path).record.with_name(f"{NAME}.measures.json").unlink()
    assert "Measure it" not in client.get(f"/judge/{NAME}").text


def test_who_may_only_look_sees_the_wipe_and_what_was_painted(tmp_path: Path) -> None:
    app, film = film_app(tmp_path / "ws")
    call_covered(app)
    footage = footage_to_paint(app)
    page = next_own(app, footage, "Ann")
    fields = {f"moment.{key}": "marked" for key in page.tiles} | {f"cell.{key}.5.5": "on" for key in page.tiles}
    answer_own(app, footage, "Ann", page.key, fields)
    add_member(app.workspace.root, "Cara", Role.LOOK, "cara's long password")
    client = create_web_app(app.workspace, door=Door(app.workspace.root)).test_client()
    client.post("/sign-in", data={"name": "Cara", "password": "cara's long password"})
    shown = client.get(f"/judge/{film.key}").text
    times = re.search(r'data-times="([^"]+)"', shown)
    assert times is not None
    assert len(client.get(times[1]).json["times"]) == FRAMES
    pictures = re.findall(r'src="(/judge/[^"]+/painted/\d+\.jpg)"', client.get(f"/judge/{footage.key}").text)
    assert [client.get(picture).status_code for picture in pictures] == [200] * len(page.tiles)
    assert client.get(f"/judge/{film.key}/next").status_code == 403
    assert client.post(f"/judge/{film.key}/measure").status_code == 403


def test_what_is_no_page_of_the_review_is_refused(opened: Opened) -> None:
    app, _film, client = opened
    assert client.get("/judge/other.mp4").status_code == 404
    assert client.get(f"/judge/{NAME}/media/{'m' + '0' * 32}").status_code == 404
    assert client.post(f"/judge/{NAME}/page/nothing", data={"moment.x": "fine"}).status_code == 400
    assert app.workspace.root.is_dir()


def test_erasing_a_reviewer_leaves_the_votes_and_no_name(tmp_path: Path) -> None:
    app, film = film_app(tmp_path / "ws")
    client = create_web_app(app.workspace).test_client()
    client.post(f"/judge/{NAME}/as", data={"by": "Ann Example"})
    answer(client, client.get(f"/judge/{NAME}/next").text, "fine")
    votes = len(swap_votes(app.workspace, film.id))
    erase_person(app, plan_erasure(app, "Ann Example"))
    assert len(swap_votes(app.workspace, film.id)) == votes
    assert list(names_in(app.workspace.root, "Ann Example")) == []


def test_erasing_who_is_in_the_film_takes_its_review_and_pictures_along(tmp_path: Path) -> None:
    app, film = film_app(tmp_path / "ws")
    client = create_web_app(app.workspace).test_client()
    client.post(f"/judge/{NAME}/as", data={"by": "Ann"})
    answer(client, client.get(f"/judge/{NAME}/next").text, "fine")
    shown = swap_media(app.workspace)
    assert shown
    erase_person(app, plan_erasure(app, "nobody"))
    assert (moments_of(app.workspace, film.id), swap_votes(app.workspace, film.id)) == ([], [])
    assert not [key for key in shown if (app.workspace.root / "media" / key[1:]).exists()]


def test_covered_faces_are_painted_before_any_training(tmp_path: Path) -> None:
    app, _film = film_app(tmp_path / "ws")
    faces = call_covered(app)
    client = create_web_app(app.workspace).test_client()
    page = "/judge/footage:clipa"
    assert f'href="{page}">Paint over what covers {len(faces)} of them' in client.get("/training").text
    before = client.get(page).text
    assert f"{len(faces)} faces are called covered. 0 faces are painted." in before
    assert 'aria-current="page">Training<' in before
    assert "You paint on the same pages" in client.get(f"{page}/next").text
    client.post(f"{page}/as", data={"by": "Ann"})
    shown = client.get(f"{page}/next")
    assert 'class="scribble"' in shown.text and "You paint over what covers faces of clipa.mp4" in shown.text
    for _ in range(9):
        shown = client.get(f"{page}/next")
        if shown.status_code == 303:
            break
        answer(client, shown.text, "marked")
    assert shown.location == page
    after = client.get(page).text
    assert f"{len(faces)} faces are painted. That is enough to learn from." in after
    pictures = re.findall(r'src="(/judge/footage:clipa/painted/\d+\.jpg)"', after)
    assert len(pictures) == len(faces)
    picture = client.get(pictures[0])
    assert (picture.mimetype, picture.data[:2]) == ("image/jpeg", b"\xff\xd8")
    assert client.get(f"{page}/painted/99.jpg").status_code == 404
    frame = int(Path(pictures[0]).stem)
    assert f'action="{page}/again/{frame}"' in after
    opened = client.post(f"{page}/again/{frame}")
    once_more = client.get(opened.location).text
    assert len(set(re.findall(r'name="moment\.([0-9a-f]+)"', once_more))) == 1
    assert f"{len(faces)} faces are painted." in client.get(page).text, "what is painted stays until it is answered"
    answer(client, once_more, "nothing")
    assert f"{len(faces) - 1} faces are painted." in client.get(page).text
    assert "Nobody painted on frame 99" in client.post(f"{page}/again/99").text
    stranger = create_web_app(app.workspace).test_client()
    assert stranger.post(f"{page}/again/{frame}").location == f"{page}/next"
    listing = client.get("/training").text
    assert "Paint over what covers" not in listing
    assert f'href="{page}">What covers faces of clipa.mp4' in listing, "what was painted is still found"
    assert client.get("/judge/footage:other").status_code == 404
