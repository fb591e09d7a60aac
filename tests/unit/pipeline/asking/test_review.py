"""One person alone: rounds, votes under the name, taking back, the end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from galloway.curation.types import PageKind, Question, Side, Status, VoterKind
from galloway.mturk.requester.errors import BadAnswer
from galloway.pipeline.app import App
from galloway.pipeline.asking.progress import batches
from galloway.pipeline.asking.review import OpenPage, answer, next_page, standing, take_back
from galloway.pipeline.errors import NothingToDo, StageError

from tests.support.workspace import built_app

_BOTH = """
[ask]
faces_per_hit = 8
learn = false

[side_a]
questions = ["usable", "identity"]

[side_b]
questions = ["usable", "identity"]
"""


@pytest.fixture
def app(tmp_path: Path) -> App:
    return built_app(tmp_path / "ws", faces=20, settings=_BOTH)


def rest(page: OpenPage, **marked: str) -> dict[str, str]:
    """Keep everything on a page but for what is marked by its place."""
    keys = list(page.tiles)
    return {f"face.{keys[int(place[1:])]}": value for place, value in marked.items()} | {
        "rest": "keep",
        "elapsed": "8000",
    }


def test_one_person_settles_every_face_with_votes_under_the_name(app: App) -> None:
    pages = 0
    while True:
        try:
            page = next_page(app, "Ann")
        except NothingToDo as nothing:
            assert "galloway merge" in str(nothing)
            break
        assert page.batch.page in (PageKind.BOTH, PageKind.CLUSTER)
        answer(app, "Ann", page.key, rest(page, _0="reject:another_person"))
        pages += 1
    votes = app.store.votes()
    assert {(vote.worker_id, vote.kind) for vote in votes} == {("person:Ann", VoterKind.PERSON)}
    assert all(vote.seconds and vote.look for vote in votes)
    assert {vote.question for vote in votes} == set(Question)
    decided = [item.status for item in app.store.decisions() if item.question is None]
    assert decided.count(Status.APPROVED) == 40 - pages
    assert decided.count(Status.REJECTED) == pages
    assert (
        standing(app, "Ann").text == f"40 of 40 faces were settled when this round began; you answered {pages} pages."
    )
    assert batches(app) == [], "nothing was published"
    assert app.ledger.batches() == []


def test_the_last_page_is_taken_back_as_it_was_sent(app: App) -> None:
    first = next_page(app, "Ann")
    fields = rest(first, _1="reject:not_a_face")
    count = answer(app, "Ann", first.key, fields)
    assert app.store.count_votes() == count
    assert standing(app, "Ann").last == first.key
    take_back(app, "Ann", first.key)
    again = next_page(app, "Ann")
    assert (again.key, again.marked) == (first.key, fields)
    assert app.store.count_votes() == 0
    with pytest.raises(NothingToDo, match="no page to take back"):
        take_back(app, "Ann", first.key)
    answer(app, "Ann", first.key, fields)
    assert (app.store.count_votes(), standing(app, "Ann").last) == (count, first.key)


def test_whoever_asks_twice_takes_one_page_back(app: App) -> None:
    first, count = next_page(app, "Ann"), []
    for _ in range(3):
        page = next_page(app, "Ann")
        count.append(answer(app, "Ann", page.key, rest(page)))
    for _ in range(2):
        take_back(app, "Ann", page.key)
        assert app.store.count_votes() == sum(count[:2])
    take_back(app, "Ann", first.key)
    assert app.store.count_votes() == sum(count[:2]), "not the last one"
    take_back(app, "Ann", standing(app, "Ann").last)
    assert app.store.count_votes() == count[0]
    assert next_page(app, "Ann").key not in (first.key, page.key), "the earlier one comes first"


@pytest.mark.parametrize("table", ["vote", "reviewed_page"])
@pytest.mark.parametrize("write", ["DELETE FROM", "INSERT INTO"])
def test_a_kill_between_loses_neither_the_page_nor_its_votes(app: App, write: str, table: str) -> None:
    page = next_page(app, "Ann")
    with _dying_at(app, f"{write} {table}"), pytest.raises(KeyboardInterrupt):
        answer(app, "Ann", page.key, rest(page))
    assert app.store.count_votes() == 0
    assert next_page(app, "Ann").key == page.key, "the page opens again"
    count = answer(app, "Ann", page.key, rest(page))
    with _dying_at(app, f"{write} {table}"), pytest.raises(KeyboardInterrupt):
        answer(app, "Ann", page.key, rest(page, _0="reject:not_a_face"))
    assert app.store.count_votes() == count
    assert {vote.label for vote in app.store.votes()} == {"keep", "same"}, "what was said first stands"


@pytest.mark.parametrize("write", ["DELETE FROM vote", "UPDATE reviewed_page"])
def test_a_kill_while_a_page_is_taken_back_leaves_it_as_it_was(app: App, write: str) -> None:
    page = next_page(app, "Ann")
    count = answer(app, "Ann", page.key, rest(page))
    with _dying_at(app, write), pytest.raises(KeyboardInterrupt):
        take_back(app, "Ann", page.key)
    assert app.store.count_votes() == count
    assert next_page(app, "Ann").key != page.key
    take_back(app, "Ann", page.key)
    assert next_page(app, "Ann").key == page.key
    assert app.store.count_votes() == 0


@contextmanager
def _dying_at(app: App, write: str) -> Iterator[None]:
    """As if the process were killed before this write: what was not committed is gone."""

    def die(_db: object, _cursor: object, statement: str, *_rest: object) -> None:
        if f"{statement} ".startswith((f"{write} ", f"{write}(")):
            raise KeyboardInterrupt

    sa.event.listen(app.workspace.db, "before_cursor_execute", die)
    try:
        yield
    finally:
        sa.event.remove(app.workspace.db, "before_cursor_execute", die)


def test_a_page_sent_twice_counts_once(app: App) -> None:
    page = next_page(app, "Ann")
    answer(app, "Ann", page.key, rest(page))
    again = answer(app, "Ann", page.key, rest(page, _0="skip"))
    assert app.store.count_votes() == again


def test_faces_without_an_answer_are_not_shown_again(app: App) -> None:
    shown: list[str] = []
    with pytest.raises(NothingToDo, match="Not decided: 40 faces"):
        while True:
            page = next_page(app, "Ann")
            shown += [tile.face_id for tile in page.tiles.values()]
            answer(app, "Ann", page.key, {"rest": "skip"})
    assert sorted(shown) == sorted(face.face_id for face in app.store.faces())


def test_two_people_review_each_for_themselves(app: App) -> None:
    ann, bob = next_page(app, "Ann"), next_page(app, "Bob")
    assert ann.key != bob.key
    with pytest.raises(StageError, match="no page"):
        answer(app, "Bob", ann.key, {})
    with pytest.raises(BadAnswer):
        answer(app, "Ann", ann.key, {"face.zz": "keep"})
    with pytest.raises(StageError, match="needs a name"):
        next_page(app, " ")


def test_without_a_photograph_use_is_asked_and_the_missing_picture_is_said(app: App) -> None:
    for side in Side:
        for path in app.workspace.references_dir(side).iterdir():
            path.unlink()
    with pytest.raises(NothingToDo, match="without a photograph: galloway ingest --side a --reference"):
        while True:
            page = next_page(app, "Ann")
            assert page.batch.page is PageKind.QUALITY
            answer(app, "Ann", page.key, {"rest": "keep"})
