"""Simulated workers: what they know, how they see, how they read pages."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from galloway.curation.types import Side
from galloway.mturk.marketplace.pages.frame.documents import FrameContext, serve_document
from galloway.pipeline.asking.render import render_hit
from galloway.pipeline.asking.tasks import PageKind, Tile, choices_for, parse_answers
from galloway.pipeline.demo.browser import read_page, read_task
from galloway.pipeline.demo.crowd import DEMO_CROWD, Profile, SampleTruth, TrueFace, answer, answer_group
from galloway.pipeline.errors import StageError
from PIL import Image, ImageDraw

from tests.support.tasks import grid_task

KEEP = TrueFace("keep", None, "same")
BLURRED = TrueFace("reject", "blurred", "same")
OTHER = TrueFace("reject", "another_person", "different")
SURE = Profile("sure", reason_right=1.0)


def _picture(seed: int, kind: str = "PNG", **options: int) -> bytes:
    rng = random.Random(seed)
    image = Image.new("RGB", (64, 64))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = rng.randrange(64), rng.randrange(64)
        draw.ellipse((x - 12, y - 12, x + 12, y + 12), fill=tuple(rng.randrange(256) for _ in range(3)))
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _values(page: PageKind, side: Side) -> list[str]:
    return [choice.value for choice in choices_for(page, side)]


def test_pictures_are_known_by_their_pixels_whatever_the_file(tmp_path: Path) -> None:
    path = tmp_path / "truth.json"
    SampleTruth.write(path, [(_picture(1), OTHER), (_picture(2), KEEP)])
    truth = SampleTruth.read(path)
    assert truth.find(_picture(1)) == OTHER
    assert truth.find(_picture(2, "TIFF")) == KEEP
    assert truth.find(_picture(1, "JPEG", quality=60)) == OTHER
    assert truth.find(_picture(77)) is None


@pytest.mark.parametrize(
    "text", ["", "{}", '{"format": "x"}', '{"format": "galloway-sample-truth/1", "faces": {"a": {"usable": "maybe"}}}']
)
def test_another_file_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "truth.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(StageError, match=r"truth\.json"):
        SampleTruth.read(path)


@pytest.mark.parametrize(
    ("seen", "page", "side", "value"),
    [
        (KEEP, PageKind.USABLE, Side.A, "keep"),
        (BLURRED, PageKind.USABLE, Side.B, "reject:blurred"),
        (BLURRED, PageKind.USABLE, Side.A, "keep"),
        (OTHER, PageKind.USABLE, Side.A, "reject:another_person"),
        (OTHER, PageKind.QUALITY, Side.A, "keep"),
        (OTHER, PageKind.IDENTITY, Side.A, "different"),
        (BLURRED, PageKind.IDENTITY, Side.B, "same"),
        (None, PageKind.IDENTITY, Side.B, "skip"),
        (KEEP, PageKind.BOTH, Side.B, "keep"),
        (OTHER, PageKind.BOTH, Side.B, "reject:another_person"),
        (BLURRED, PageKind.BOTH, Side.B, "reject:blurred"),
        (BLURRED, PageKind.BOTH, Side.A, "keep"),
        (TrueFace("reject", "blurred", "different"), PageKind.BOTH, Side.A, "reject:another_person"),
        (TrueFace("keep", None, "cannot_tell"), PageKind.BOTH, Side.A, "cannot_tell"),
    ],
)
def test_who_sees_well_answers_right(seen: TrueFace | None, page: PageKind, side: Side, value: str) -> None:
    assert answer(SURE, seen, _values(page, side), random.Random(1)) == value


@pytest.mark.parametrize("page", [PageKind.USABLE, PageKind.IDENTITY, PageKind.BOTH])
def test_profiles_err_as_often_as_they_say(page: PageKind) -> None:
    profile, values, rng = (
        Profile("p", 0.3, 0.1, reason_right=0.8, unsure=0.5),
        _values(page, Side.B),
        random.Random(5),
    )
    bad = [answer(profile, OTHER, values, rng) for _ in range(4000)]
    good = [answer(profile, KEEP, values, rng) for _ in range(4000)]
    missed = sum(value in ("keep", "same", "cannot_tell") for value in bad) / 4000
    alarms = sum(value not in ("keep", "same") for value in good) / 4000
    assert missed == pytest.approx(0.3, abs=0.03)
    assert alarms == pytest.approx(0.1, abs=0.02)


def test_what_is_to_be_marked_is_what_is_overlooked() -> None:
    profile, values, rng = Profile("p", 0.3, 0.1), _values(PageKind.FIND, Side.B), random.Random(5)
    bad = [answer(profile, OTHER, values, rng, sought=True) for _ in range(4000)]
    good = [answer(profile, KEEP, values, rng, sought=True) for _ in range(4000)]
    assert bad.count("keep") / 4000 == pytest.approx(0.1, abs=0.02)
    assert 1 - good.count("keep") / 4000 == pytest.approx(0.3, abs=0.03)


def test_a_group_is_one_look() -> None:
    values = _values(PageKind.CLUSTER, Side.B)
    faces = [KEEP, KEEP, OTHER, KEEP]

    def looks(profile: Profile, times: int = 4000) -> list[tuple[str, list[str]]]:
        dice = [[random.Random(f"{n} {place}") for place in range(4)] for n in range(times)]
        return [answer_group(profile, faces, values, row) for row in dice]

    assert looks(SURE, 1) == [("keep", ["", "", "reject:another_person", ""])]
    found = looks(Profile("p", misses=0.4, false_alarms=0.1))
    assert all(own[0] == own[1] == own[3] == "" for _, own in found), "who errs on a group errs on all of it"
    assert sum(verdict != "keep" for verdict, _ in found) / 4000 == pytest.approx(0.1, abs=0.02)
    overlooked = [own[2] == "" for verdict, own in found if verdict == "keep"]
    assert sum(overlooked) / len(overlooked) == pytest.approx(0.4, abs=0.03)


def test_who_is_drawn_confirms_a_group_unseen() -> None:
    values = _values(PageKind.CLUSTER, Side.B)
    dice = [[random.Random(f"{seed}:{n}") for n in range(4)] for seed in range(200)]
    said = [answer_group(Profile("drawn", reason_right=1.0, drawn=0.6), [OTHER] * 4, values, row) for row in dice]
    confirmed = sum(verdict == "keep" and not any(own) for verdict, own in said)
    assert 100 < confirmed < 140
    assert all(verdict == "reject:another_person" for verdict, _ in said if verdict != "keep")


def test_the_blind_one_answers_anything_but_skip() -> None:
    values = _values(PageKind.USABLE, Side.B)
    rng = random.Random(2)
    given = {answer(DEMO_CROWD[-1], KEEP, values, rng) for _ in range(200)}
    assert given == set(values) - {"skip"}


@pytest.mark.parametrize("kind", list(PageKind))
def test_the_served_page_can_be_read_and_answered_without_a_script(kind: PageKind) -> None:
    grouped = {"group": 1} if kind.grouped else {}
    task = grid_task(kind, Side.B, 3, tiles=[Tile(f"t{n}", f"/images/{n}", f"/large/{n}", **grouped) for n in range(3)])
    context = FrameContext("3A", "3H", "AW", "http://f.test", "http://f.test/assets", "http://p.test", False)
    page = read_page("http://f.test/frame/tok?assignmentId=3A", 200, serve_document(render_hit(task), context))
    found = read_task(page)
    assert found is not None
    assert found.form.action == "http://f.test/mturk/externalSubmit"
    assert ("assignmentId", "3A") in found.form.hidden()
    assert [tile.picture for tile in found.tiles] == [f"http://f.test/images/{n}" for n in range(3)]
    assert [tile.group for tile in found.tiles] == ["group.1" if kind.grouped else ""] * 3
    assert [tile.values for tile in found.tiles] == [_values(kind, Side.B)] * 3
    answers = {found.tiles[0].name: found.tiles[0].values[1], "rest": found.rest}
    assert len(parse_answers(task, answers)) == 3


def test_other_pages_are_not_face_tasks() -> None:
    page = read_page("http://f.test/", 200, '<form action="/mturk/externalSubmit"><input name="a"></form>')
    assert read_task(page) is None


def test_notes_of_a_page_are_quoted() -> None:
    page = read_page("http://f.test/", 409, '<p class="note bad">Somebody <b>else</b> was\n faster.</p><p>more</p>')
    assert page.said == "Somebody else was faster."
