"""The simulated crowd at a real marketplace, over HTTP."""

from __future__ import annotations

import base64
import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from galloway.curation.types import Side
from galloway.mturk.requester.answers import parse_answer
from galloway.mturk.requester.questions import html_question
from galloway.pipeline.asking.render import render_hit
from galloway.pipeline.asking.tasks import GridTask, PageKind, Tile, TileAnswer, parse_answers
from galloway.pipeline.demo.crowd import DEMO_CROWD, CrowdResult, SampleTruth, TrueFace, run_crowd
from galloway.pipeline.errors import StageError
from PIL import Image

from tests.support.sites import Site, site
from tests.support.tasks import grid_task

GOOD, BAD = TrueFace("keep", None, "same"), TrueFace("reject", "another_person", "different")


def _png(seed: int) -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", (8, 8), random.Random(seed).randbytes(192)).save(out, "PNG")
    return out.getvalue()


PICTURES = {f"k{number}": _png(number) for number in range(12)}
TRUTH = SampleTruth.of((data, BAD if number % 3 == 0 else GOOD) for number, data in enumerate(PICTURES.values()))
TILES = [
    Tile(key, "data:image/png;base64," + base64.b64encode(data).decode(), group=1 + number // 6)
    for number, (key, data) in enumerate(PICTURES.items())
]


@pytest.fixture
def market(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path) as found:
        yield found


def _run(market: Site, *, seed: int = 3) -> CrowdResult:
    return run_crowd(market.addresses.worker, TRUTH, DEMO_CROWD, seed=seed, invite=market.invite)


def test_the_crowd_answers_what_there_is_and_comes_back_as_the_same_people(market: Site) -> None:
    task = grid_task(PageKind.USABLE, Side.A, tiles=TILES)
    first = market.publish(html_question(render_hit(task)), places=6)
    other = market.publish(html_question("<form action='x'><input name='a'></form>"), title="Not about faces")
    done = _run(market)
    assert (done.submitted, done.unknown, len(set(done.worker_ids))) == (6, 0, 6)
    assert market.client.get_hit(HITId=first)["HIT"]["HITStatus"] == "Reviewable"
    assert market.client.get_hit(HITId=other)["HIT"]["HITStatus"] == "Assignable"
    assert market.answers(other) == []

    second = market.publish(html_question(render_hit(task)), places=6)
    again = run_crowd(market.addresses.worker, TRUTH, DEMO_CROWD, seed=3)
    assert again.worker_ids == done.worker_ids
    # The same seed and pictures: the same answers, whatever the HIT.
    assert _labels(market, first, task) == _labels(market, second, task)


def _labels(market: Site, hit_id: str, task: GridTask) -> dict[str, list[TileAnswer]]:
    found = market.client.list_assignments_for_hit(HITId=hit_id)["Assignments"]
    return {item["WorkerId"]: parse_answers(task, parse_answer(item["Answer"])) for item in found}


def test_careful_workers_are_right_more_often_than_blind_ones(market: Site) -> None:
    task = grid_task(PageKind.IDENTITY, Side.B, tiles=TILES)
    hit_id = market.publish(html_question(render_hit(task)), places=6)
    names = {worker.worker_id: worker.name for worker in _run(market).workers}
    right = {
        names[worker_id]: sum(
            label == ("different" if int(key[1:]) % 3 == 0 else "same") for key, label, _by in answers
        )
        for worker_id, answers in _labels(market, hit_id, task).items()
    }
    assert right["sim-careful"] >= 11
    assert right["sim-random"] <= 9


def test_groups_are_answered_in_one_look_and_odd_faces_apart(market: Site) -> None:
    task = grid_task(PageKind.CLUSTER, Side.B, tiles=TILES)
    hit_id = market.publish(html_question(render_hit(task)), places=6)
    names = {worker.worker_id: worker.name for worker in _run(market).workers}
    answers = {names[worker_id]: said for worker_id, said in _labels(market, hit_id, task).items()}
    right = [
        said.value == ("keep" if int(said.key[1:]) % 3 else "reject:another_person") for said in answers["sim-careful"]
    ]
    assert sum(right) >= 11
    assert {said.by for said in answers["sim-careful"]} == {"1", "2", "face"}
    assert all(len(said) == 12 for said in answers.values())


def test_without_an_account_or_an_invite_there_is_no_work(market: Site) -> None:
    with pytest.raises(StageError, match="no invite link"):
        run_crowd(market.addresses.worker, TRUTH, DEMO_CROWD[:1])


def test_a_site_that_is_not_there_is_named() -> None:
    with pytest.raises(StageError, match="galloway market serve"):
        run_crowd("http://127.0.0.1:9", TRUTH, DEMO_CROWD[:1])
