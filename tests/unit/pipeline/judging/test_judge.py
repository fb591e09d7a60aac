"""Votes on moments → judgements: whether it holds, what is wrong, ties, people's word."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np
import pytest
from galloway.mturk.marketplace.pages.frame.documents import FrameContext, serve_document
from galloway.mturk.requester.errors import BadAnswer
from galloway.pipeline.judging.judge import judge, left_ranges, majority_mask
from galloway.pipeline.judging.pages import CELLS, GRID, MomentTask, MomentTile, mask_of, parse_moments, render_moments
from galloway.pipeline.judging.rounds import wanted
from galloway.pipeline.judging.verdicts import VERDICTS, Page
from galloway.pipeline.workspace.judged import Moment, SwapVote

pytestmark = pytest.mark.both_databases

MOMENTS = [Moment(n, 10 * n - 9, 10 * n, "identity" if n in (2, 3) else "") for n in range(1, 7)]


def vote(moment: int, label: str, worker: str, kind: str = "worker", mask: str = "") -> SwapVote:
    at = datetime(2026, 11, 26, tzinfo=UTC)
    return SwapVote(f"{worker}-{moment}", "t", "h", "film", moment, label, mask, worker, at, 5.0, kind, False)


def cast(moment: int, *labels: str) -> list[SwapVote]:
    return [vote(moment, label, f"w{n}") for n, label in enumerate(labels)]


def test_agreement_decides_and_says_what_is_wrong() -> None:
    votes = [*cast(1, "fine", "fine", "fine"), *cast(2, "person", "person", "edge"), *cast(3, "edge", "person", "fine")]
    one, two, three, four, *_ = judge(MOMENTS, votes)
    assert (one.status, one.fault) == ("fine", "")
    assert (two.status, two.fault) == ("broken", "person")
    assert three.fault == "edge/person", "a tie stays a tie"
    assert (four.status, four.votes) == ("unasked", 0)


def test_a_persons_word_stands_over_the_crowds() -> None:
    votes = [*cast(2, "fine", "fine", "fine"), vote(2, "mouth", "person:Ann", "person")]
    found = judge(MOMENTS, votes)[1]
    assert (found.status, found.fault, found.by_person) == ("broken", "mouth", True)


def test_who_cannot_tell_was_asked_and_says_nothing() -> None:
    found = judge(MOMENTS, cast(2, "cannot_tell", "cannot_tell"))[1]
    assert (found.status, found.votes, found.asked) == ("disputed", 0, 2)


def test_what_does_not_hold_or_nobody_looked_at_though_suspicious_is_left() -> None:
    votes = [*cast(1, "fine", "fine"), *cast(2, "person", "person", "person"), *cast(5, "edge", "edge", "edge")]
    assert left_ranges(judge(MOMENTS, votes)) == [(11, 30), (41, 50)]


def test_what_is_asked_first_and_what_again() -> None:
    first = wanted(MOMENTS, judge(MOMENTS, []), "film", votes=3, most=7, marked={})
    assert {moment.number for item in first for moment in item.moments} >= {2, 3}
    assert {item.votes for item in first} == {3}
    calm = {moment.number for item in first for moment in item.moments} - {2, 3}
    votes = [*cast(2, "covered", "covered", "covered"), *cast(3, "fine", "edge")]
    again = wanted(MOMENTS, judge(MOMENTS, votes), "film", votes=3, most=7, marked={})
    asked = {(item.page, moment.number): item.votes for item in again for moment in item.moments}
    assert asked[Page.COMPARE, 3] == 1, "in dispute: one more"
    assert asked[Page.SCRIBBLE, 2] == 3, "covered: it is marked"
    assert all(number in (2, 3) or number in calm for _, number in asked), "nobody asks beside what was suspected"
    assert (Page.COMPARE, 2) not in asked
    unseen = cast(5, "mouth", "mouth", "mouth")
    beyond = wanted(MOMENTS, judge(MOMENTS, unseen), "film", votes=3, most=7, marked={})
    assert {4, 6} <= {moment.number for item in beyond for moment in item.moments}, "beside what nobody suspected"
    done = wanted(MOMENTS, judge(MOMENTS, votes), "film", votes=3, most=2, marked={2: 3})
    assert not {item.page for item in done} & {Page.SCRIBBLE, Page.COMPARE}


def test_answers_are_read_and_foreign_ones_refused() -> None:
    said = parse_moments(Page.CLIP, ["aa", "bb"], {"moment.aa": "fine", "elapsed": "9", "comment": "x"})
    assert [(item.key, item.label) for item in said] == [("aa", "fine")]
    for bad in ({"moment.zz": "fine"}, {"moment.aa": "great"}, {"mask.zz": ""}):
        with pytest.raises(BadAnswer):
            parse_moments(Page.CLIP, ["aa"], bad)


def test_a_mask_is_painted_or_checked() -> None:
    painted = np.zeros((GRID, GRID), bool)
    painted[3:9, 5:20] = True
    text = np.packbits(painted).tobytes().hex()
    (one,) = parse_moments(Page.SCRIBBLE, ["aa"], {"mask.aa": text, "moment.aa": "marked"})
    assert (mask_of(one.mask) == painted).all()
    (two,) = parse_moments(Page.SCRIBBLE, ["aa"], {"cell.aa.0.11": "on", "moment.aa": "marked"})
    assert mask_of(two.mask).sum() == (GRID // CELLS) ** 2
    assert mask_of(two.mask)[:4, -4:].all()
    (nothing,) = parse_moments(Page.SCRIBBLE, ["aa"], {"moment.aa": "nothing"})
    assert not mask_of(nothing.mask).any()
    (unsure,) = parse_moments(Page.SCRIBBLE, ["aa"], {"moment.aa": "cannot_tell"})
    assert unsure.mask == ""
    assert parse_moments(Page.SCRIBBLE, ["aa"], {"moment.aa": "marked"}) == []
    for bad in ({"mask.aa": "ff"}, {"cell.aa.12.0": "on"}, {"cell.aa.x.0": "on"}, {"moment.aa": "fine"}):
        with pytest.raises(BadAnswer):
            parse_moments(Page.SCRIBBLE, ["aa"], bad)


def test_a_tie_of_masks_is_not_covered() -> None:
    one, none = np.ones((2, 2), bool), np.zeros((2, 2), bool)
    assert not majority_mask([one, none]).any()
    assert majority_mask([one, one, none]).all()


@pytest.mark.parametrize("page", list(Page))
def test_pages_fit_a_hit_and_offer_every_answer(page: Page) -> None:
    url = "https://pictures.example/" + "x" * 400
    task = MomentTask(page, [MomentTile(f"{n:012x}", (url, url)) for n in range(3 if page is Page.SCRIBBLE else 10)])
    html = render_moments(task)
    assert len(html.encode()) < 60_000
    words = ("marked", "nothing", "cannot_tell") if page is Page.SCRIBBLE else VERDICTS
    assert all(f'value="{value}"' in html for value in words)


def test_what_was_painted_is_there_again_after_a_pause() -> None:
    html = render_moments(MomentTask(Page.SCRIBBLE, [MomentTile("aa", ("https://x/1.jpg",))]))
    mask = "f" * (GRID * GRID // 4)
    draft = {"mask.aa": (mask,), "moment.aa": ("marked",)}
    context = FrameContext("A", "H", "W", "https://f", "https://f/assets", "https://w", preview=False, draft=draft)
    served = serve_document(html, context)
    (field,) = re.findall(r'<input[^>]*name="mask\.aa"[^>]*>', served)
    assert f'value="{mask}"' in field and " hidden" in field
    assert re.findall(r'<input[^>]*value="marked"[^>]* checked[^>]*>', served)
