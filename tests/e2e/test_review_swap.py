"""People review a converted film: published, answered, collected, marked, shown; and alone, in the browser's pages."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from galloway.curation.types import Progress
from galloway.pipeline.app import App
from galloway.pipeline.asking.progress import committed
from galloway.pipeline.judging import sending
from galloway.pipeline.judging.covers import footage_to_paint
from galloway.pipeline.judging.judge import joined, left_ranges
from galloway.pipeline.judging.outcome import film_judged
from galloway.pipeline.judging.painted import painted_faces
from galloway.pipeline.judging.rounds import plan_swap_round
from galloway.pipeline.judging.sending import publish_swap_round
from galloway.pipeline.judging.verdicts import Page
from galloway.pipeline.market.local import serve_market
from galloway.pipeline.market.session import MarketSession
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.opened import jobs
from galloway.pipeline.workspace.films import found_beside
from galloway.pipeline.workspace.judged import SwapBatch, swap_batches, swap_votes
from galloway.pipeline.workspace.schema import swap_batch_table

from tests.support.acting import job_state
from tests.support.judged import answer_review, call_covered, film_app
from tests.support.workspace import galloway

CROWD = ("ann", "bob", "cid")


def test_a_crowd_finds_where_the_film_was_spoilt(tmp_path: Path) -> None:
    app, film = film_app(tmp_path / "ws")
    planned = galloway(app, "review-swap", "publish", "--dry-run", "--json")
    assert planned.returncode == 0, planned.stderr
    asked = [moment for item in json.loads(planned.stdout)["asked"] for moment in item["moments"]]
    assert [moment for moment in asked if moment[2]] == [
        [11, 26, "identity"], [54, 62, "border edge"], [38, 53, "jitter"],
    ]  # fmt: skip
    assert galloway(app, "review-swap", "publish").returncode == 4, "the price comes first"
    assert galloway(app, "review-swap", "collect").returncode == 3
    done: set[str] = set()
    with serve_market(app.workspace):
        for number in range(8):
            sent = galloway(app, "review-swap", "publish", "--yes")
            if sent.returncode == 3:
                break
            assert sent.returncode == 0, sent.stderr
            assert galloway(app, "review-swap", "publish", "--yes").returncode == 3, "all of it is on open pages"
            answer_review(app, film, [f"{name}{number}" for name in CROWD], done)
            got = galloway(app, "review-swap", "collect", str(film.path), "--json")
            assert got.returncode == 0, got.stderr
            assert f"galloway review-swap publish {film.path}" in got.stderr, "that very film, whichever is the newest"
        assert sent.returncode == 3, sent.stderr
    assert "galloway convert --where approved" in sent.stderr
    found = film_judged(app, film)
    left = left_ranges(found.judged)
    for first, last in ((13, 24), (40, 51)):
        assert any(one <= first and last <= other for one, other in left), left
    assert not any(one <= 57 <= other for one, other in left), "what the measures suspected for nothing holds"
    shown = galloway(app, "review-swap", "show")
    assert "broken: person" in shown.stdout
    assert galloway(app, "review-swap", "report").returncode == 0
    assert joined(left) == left


def test_the_price_is_shown_and_only_that_round_is_sent(tmp_path: Path) -> None:
    app, film = film_app(tmp_path / "ws")
    site = create_web_app(app.workspace)
    client = site.test_client()
    assert client.post(f"/judge/{film.name}/collect", data={"most": "99"}).status_code == 303
    assert job_state(site)[0] == "nothing"
    shown = client.get(f"/judge/{film.name}/publish").text
    assert "Total $" in shown
    digest = re.search(r'name="digest" value="([0-9a-f]+)"', shown)
    assert digest is not None
    assert client.post(f"/judge/{film.name}/publish", data={"digest": digest[1]}).status_code == 400
    client.post(f"/judge/{film.name}/publish", data={"yes": "yes", "digest": "0"})
    assert job_state(site) == (
        "failed", "Nothing was published: since you looked, what would be asked changed. Look again."
    )  # fmt: skip
    client.post(f"/judge/{film.name}/publish", data={"yes": "yes", "digest": digest[1]})
    assert job_state(site)[0] == "done"
    assert len(swap_batches(app.workspace, film=film.id)) == 2
    assert "open page" in client.get(f"/judge/{film.name}/publish").text
    assert client.get(f"/judge/{film.name}").status_code == 200
    jobs(site).close()


def test_a_round_that_broke_off_is_priced_once_and_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, film = film_app(tmp_path / "ws")
    shows = sending._show

    def breaks_off(app: App, session: MarketSession, batch: SwapBatch, progress: Progress) -> None:
        if batch.page == Page.CLIP:
            raise OSError("the bucket is away")
        shows(app, session, batch, progress)

    monkeypatch.setattr(sending, "_show", breaks_off)
    with app.workspace.lock("publishing"), app.market() as session:
        first = plan_swap_round(app, session, film)
        with pytest.raises(OSError, match="the bucket is away"):
            publish_swap_round(app, session, first)
        monkeypatch.setattr(sending, "_show", shows)
        part = committed(app, session.market.state_key)
        going_on = plan_swap_round(app, session, film)
        assert 0 < part < first.price == part + going_on.price
        with app.workspace.db.begin() as db:  # killed after its HITs were sent, before that was noted
            db.execute(sa.update(swap_batch_table).values(published_at=None))
        going_on = plan_swap_round(app, session, film)
        assert (len(going_on.resumed), going_on.price) == (2, first.price)
        ask = app.settings.ask.model_copy(update={"budget": first.price})
        with_budget = App(replace(app.workspace, settings=app.settings.model_copy(update={"ask": ask})))
        publish_swap_round(with_budget, session, going_on)
        assert committed(app, session.market.state_key) == first.price


def test_a_round_that_is_taken_back_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, film = film_app(tmp_path / "ws")

    def breaks_off(_app: App, _session: MarketSession, batch: SwapBatch, _progress: Progress) -> None:
        if batch.page == Page.CLIP:
            raise OSError("the bucket is away")

    with app.workspace.lock("publishing"), app.market() as session, monkeypatch.context() as change:
        change.setattr(sending, "_show", breaks_off)
        with pytest.raises(OSError, match="the bucket is away"):
            publish_swap_round(app, session, plan_swap_round(app, session, film))
        with app.workspace.db.begin() as db:  # one was only planned, of the other it was not noted that it was sent
            db.execute(sa.update(swap_batch_table).values(published_at=None))
        begun = [batch.key for batch in plan_swap_round(app, session, film).resumed]
    assert len(begun) == 2
    for key in begun:
        gone = galloway(app, "batch", "cancel", key, "--json")
        assert gone.returncode == 0, gone.stderr
        assert json.loads(gone.stdout)["done"]
    with app.workspace.lock("publishing"), app.market() as session:
        anew = plan_swap_round(app, session, film)
        assert anew.resumed == ()
        sent = publish_swap_round(app, session, anew)
        assert not {one.batch_key for one in sent} & set(begun)


def test_answers_about_a_film_whose_place_another_took_are_collected_and_paid(tmp_path: Path) -> None:
    app, film = film_app(tmp_path / "ws")
    with app.workspace.lock("publishing"), app.market() as session:
        publish_swap_round(app, session, plan_swap_round(app, session, film))
    with serve_market(app.workspace):
        answers = answer_review(app, film, CROWD, set())
        record = found_beside(film.path).record
        record.write_text(json.dumps({**film.record, "sha256": "0" * 64, "earlier": ["", film.id]}))
        page = create_web_app(app.workspace).test_client().get(f"/judge/{film.name}").text
        due = re.search(r'name="most" value="([0-9.]+)"', page)
        assert due is not None
        got = galloway(app, "review-swap", "collect", "--yes", "--json")
    assert got.returncode == 0, got.stderr
    told = json.loads(got.stdout)
    assert (told["assignments"], told["approved"], told["frames"]) == (answers, answers, {})
    assert Decimal(due[1]) >= Decimal(told["paid"]) > 0
    assert len(swap_votes(app.workspace, film.id)) == told["new_votes"] > 0
    assert swap_votes(app.workspace, "0" * 64) == [], "what was said of the earlier film is not said of this one"


def test_a_crowd_paints_what_covers_faces_before_anything_is_trained(tmp_path: Path) -> None:
    app, _film = film_app(tmp_path / "ws")
    assert galloway(app, "paint", "publish", "--dry-run").returncode == 3, "nobody calls a face covered"
    faces = call_covered(app)
    assert galloway(app, "paint", "collect").returncode == 3
    planned = galloway(app, "paint", "publish", "--dry-run", "--json")
    assert planned.returncode == 0, planned.stderr
    assert f"{len(faces)} faces called covered, painted by 3 people each" in planned.stderr
    (asked,) = json.loads(planned.stdout)["asked"]
    assert {first for first, _last, _why in asked["moments"]} == {face.frame_number for face in faces}
    assert galloway(app, "paint", "publish").returncode == 4, "the price comes first"
    with serve_market(app.workspace):
        assert galloway(app, "paint", "publish", "--yes").returncode == 0
        again = galloway(app, "paint", "publish", "--yes")
        assert (again.returncode, "on open pages" in again.stderr) == (3, True)
        answer_review(app, footage_to_paint(app), CROWD, set())
        got = galloway(app, "paint", "collect", "--json")
        assert got.returncode == 0, got.stderr
        (told,) = json.loads(got.stdout)
        assert (told["painted"], told["lacking"]) == (len(faces), 0)
        assert galloway(app, "paint", "publish", "--yes").returncode == 3
    assert "galloway train" in got.stderr
    assert f"{len(faces)} painted" in galloway(app, "paint", "show").stdout
    assert set(painted_faces(app, lambda text: pytest.fail(text))) == {face.name for face in faces}
