"""`galloway convert --where approved`: what people said does not hold keeps its pixels, with soft cuts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from galloway.curation.learn.bound import upper_bound
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.engines.base import ConvertRequest, ConvertResult, FrameRange, frames_in, spans
from galloway.pipeline.engines.disclosure import METADATA
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import Frame, open_source
from galloway.pipeline.engines.pixels import mixed
from galloway.pipeline.errors import NothingToDo, StageError
from galloway.pipeline.judging.alone import next_own
from galloway.pipeline.judging.film import JudgedFilm, doubts_of, find_film, painted_films
from galloway.pipeline.judging.masks import write_masks
from galloway.pipeline.judging.moments import FrameDoubt, sampled
from galloway.pipeline.judging.outcome import cover_masks, film_judged, kept_ranges, told_of
from galloway.pipeline.judging.pages import GRID
from galloway.pipeline.judging.rounds import SAMPLE, known_moments
from galloway.pipeline.judging.verdicts import MARKED
from galloway.pipeline.stages import convert as stage
from galloway.pipeline.stages.convert import convert
from galloway.pipeline.stages.convert_options import SOFT, ConvertOptions
from galloway.pipeline.stages.masking import find_source, set_regions
from galloway.pipeline.stages.measure import noted_ranges
from galloway.pipeline.stages.reconvert import convert_approved, reconvert
from galloway.pipeline.stages.sources import plan_removal, remove_source
from galloway.pipeline.web import create_web_app
from galloway.pipeline.workspace.films import found_beside
from galloway.pipeline.workspace.judged import (
    SwapVote,
    add_moments,
    add_swap_votes,
    moments_of,
    swap_batches,
    swap_votes,
)
from numpy.typing import NDArray

from tests.support.judged import FRAMES, film_app, right
from tests.support.workspace import galloway


class Painter:
    """An engine that paints the face's place green, as the protocol asks."""

    name = "painter"
    colour = (60, 160, 90)
    hidden: frozenset[int] = frozenset()

    def convert(self, request: ConvertRequest, _progress: object) -> ConvertResult:
        self.request = request
        numbers = []

        def change(frame: Frame) -> NDArray[np.uint8] | None:
            outside = request.ranges and not any(frame.number in part for part in request.ranges)
            if outside or any(frame.number in part for part in request.skip):
                return None
            numbers.append(frame.number)
            after = frame.image.copy()
            after[30:70, 60:100] = self.colour
            return mixed(frame.image, after, request.share_at(frame.number))

        metadata = {**METADATA, **request.metadata}
        source = open_source(request.source)
        made = rewrite(source, request.output, change, metadata=metadata, label=request.label, kept=request.kept)
        every = range(1, made.frames + 1)
        kept = [n for n in every if request.kept is not None and request.kept.shows_swap(n)]
        shown = sorted([*numbers, *kept])
        hidden = spans(n for n in numbers if n in self.hidden)
        return ConvertResult(request.output, made.frames, len(shown), len(shown), False, (), spans(shown), hidden)


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[App, JudgedFilm, Painter]:
    """The reviewed film's workspace, with a model of which only the engine knows anything."""
    app, film = film_app(tmp_path / "ws")
    run = SimpleNamespace(id="r1", record={"engine": "painter", "facesets": {}, "model_dir": "models/x"})
    for gate in ("check_consent", "check_model", "note_film"):
        monkeypatch.setattr(stage, gate, lambda *_given: None)
    monkeypatch.setattr(stage, "approved_facesets", lambda _app: {})
    monkeypatch.setattr(stage, "last_model", lambda _app: run)
    monkeypatch.setattr(stage, "disclosure", lambda *_given: {})
    monkeypatch.setattr(stage, "_signed", lambda *_given: {})
    monkeypatch.setattr(stage, "sign_film", lambda *_given: "")
    painter = Painter()
    monkeypatch.setattr(App, "engine", lambda _app, *_given: painter)
    return app, film, painter


def review(app: App, film: JudgedFilm) -> None:
    """Three people who see everything answer every moment."""
    moments = known_moments(app, film, doubts_of(film) or [])
    add_moments(app.workspace, film.id, moments)
    now = datetime(2026, 11, 26, tzinfo=UTC)
    add_swap_votes(
        app.workspace,
        [
            SwapVote(
                f"{name}{m.number}", "t", "h", film.id, m.number, right(name, m), "", name, now, 5.0, "worker", True
            )
            for m in moments
            for name in ("ann", "bob", "cid")
        ],
    )


def test_what_does_not_hold_keeps_its_pixels_with_soft_cuts(ready: tuple[App, JudgedFilm, Painter]) -> None:
    app, film, painter = ready
    with pytest.raises(NothingToDo, match="Nobody was asked"):
        convert(app, ConvertOptions(approved=True))
    review(app, film)
    left = kept_ranges(app, film)
    done = convert(app, ConvertOptions(approved=True))
    assert painter.request.fade == SOFT
    assert [(part.first, part.last) for part in painter.request.skip] == left
    green = {frame.number: int(frame.image[50, 90, 1]) for frame in open_source(done.result.output).read()}
    blue = {frame.number: int(frame.image[50, 90, 1]) for frame in open_source(film.source.path).read()}
    assert len(green) == FRAMES
    inside = [number for first, last in left for number in range(first, last + 1)]
    assert all(abs(green[number] - blue[number]) < 4 for number in inside), "the original"
    first = left[0][0]
    steps = [green[first - away] for away in range(1, SOFT + 2)]
    assert steps == sorted(steps), "it goes softly"
    assert steps[0] < 115 < 150 < steps[-1]
    record = json.loads(found_beside(film.path).record.read_text())
    assert record["where"]["left"] == [list(item) for item in left]


def test_the_same_again_is_nothing_to_do_and_what_was_left_stays_left(ready: tuple[App, JudgedFilm, Painter]) -> None:
    app, film, _painter = ready
    review(app, film)
    before = kept_ranges(app, film)
    convert(app, ConvertOptions(approved=True))
    made = film.path.read_bytes()
    with pytest.raises(NothingToDo, match="said already"):
        convert(app, ConvertOptions(approved=True))
    assert film.path.read_bytes() == made
    convert(app, ConvertOptions(approved=True, fade=0))
    assert film.path.read_bytes() != made, "other settings are other work"
    assert kept_ranges(app, find_film(app, film.path)) == before
    galloway(app, "review-swap", "show")


def test_audited_moments_in_dispute_count_as_missed_until_they_are_settled(
    ready: tuple[App, JudgedFilm, Painter],
) -> None:
    app, film, _painter = ready
    moments = known_moments(app, film, doubts_of(film) or [])
    add_moments(app.workspace, film.id, moments)
    drawn = sampled(moments, film.id, SAMPLE)
    now = datetime(2026, 11, 26, tzinfo=UTC)
    votes = [
        SwapVote(f"{name}{m.number}", "t", "h", film.id, m.number, label, "", name, now, 5.0, "worker", True)
        for m, second in zip(drawn, ("edge", "fine"), strict=True)
        for name, label in (("ann", "fine"), ("bob", second))
    ]
    add_swap_votes(app.workspace, votes)
    found = film_judged(app, film)
    assert (found.audited, found.missed, found.unsettled) == (2, 0, 1)
    assert found.unseen == upper_bound(1, 2) > upper_bound(0, 2)
    assert told_of(found)["audit"] == {"asked": 2, "broken": 0, "unsettled": 1, "at_most": round(found.unseen, 4)}
    assert "do not hold and 1 are in dispute" in galloway(app, "review-swap", "show").stdout
    page = create_web_app(app.workspace).test_client().get(f"/judge/{film.name}").text
    assert "1 of them is in dispute and counts as not holding." in page


def test_shares_rise_with_the_distance_from_what_is_left() -> None:
    request = ConvertRequest(Path("a"), Path("b"), Path("c"), Path("d"), Path("e"), skip=(FrameRange(10, 12),), fade=4)
    shares = [request.share_at(number) for number in (4, 5, 6, 9, 13, 14, 17, 18)]
    assert shares == pytest.approx([1.0, 1.0, 0.8, 0.2, 0.2, 0.4, 1.0, 1.0])
    assert replace(request, fade=0).share_at(9) == 1.0


def test_what_was_shown_of_a_source_goes_with_it_also_of_films_that_were_replaced(
    ready: tuple[App, JudgedFilm, Painter],
) -> None:
    app, film, _painter = ready
    review(app, film)
    page = next_own(app, film, "Ann")
    shown = [app.workspace.root / "media" / key[1:] for tile in page.tiles.values() for key in tile.media]
    convert(app, ConvertOptions(approved=True))
    assert find_film(app, film.path).id != film.id
    assert all(path.is_file() for path in shown)
    remove_source(app, plan_removal(app, Side.A, "clipa"))
    assert not any(path.exists() for path in shown)
    assert (swap_votes(app.workspace, film.id), swap_batches(app.workspace)) == ([], [])


def _pixels(path: Path) -> dict[int, NDArray[np.uint8]]:
    return {frame.number: frame.image for frame in open_source(path).read()}


def test_a_range_is_drawn_again_and_the_rest_of_the_film_stays(ready: tuple[App, JudgedFilm, Painter]) -> None:
    app, film, painter = ready
    painter.hidden = frozenset({5, 45, 60, 61})
    convert(app, ConvertOptions(skip=(FrameRange(1, 9),)))
    assert json.loads(found_beside(film.path).record.read_text())["hidden_frames"] == [[45, 45], [60, 61]]
    before, mark = _pixels(film.path), painter.request.mark
    painter.colour, painter.hidden = (220, 60, 60), frozenset({5})
    done = reconvert(app, film.name, (FrameRange(5, 6), FrameRange(40, 50)))
    after, source = _pixels(film.path), _pixels(film.source.path)
    for number, picture in after.items():
        red = int(picture[60, 70, 0]) > 150
        assert red == (number in (5, 6) or 40 <= number <= 50), number
        if not red:
            there = source if number < 10 else before
            assert np.abs(picture.astype(int) - there[number]).mean() < 1.5, number
    assert painter.request.mark == mark, "what is drawn now carries the mark of what is beside it"
    assert np.abs(after[40].astype(int) - before[40])[:24].mean() < 1, "the label is not shown a second time"
    record = json.loads(found_beside(film.path).record.read_text())
    assert record["swapped_frames"] == [[5, 6], [10, FRAMES]]
    assert record["hidden_frames"] == [[5, 5], [60, 61]], "what is kept is as it was, what is drawn now is looked at"
    assert (record["swapped"], record["skip"]) == (FRAMES - 7, [[1, 4], [7, 9]])
    assert record["again"] == [{"frames": [[5, 6], [40, 50]], "run": "r1", "left": False}]
    assert done.result.output == film.path


def test_a_film_of_a_model_that_was_named_says_so_and_is_gone_on_with_by_it(
    ready: tuple[App, JudgedFilm, Painter], monkeypatch: pytest.MonkeyPatch
) -> None:
    app, film, painter = ready
    older = SimpleNamespace(id="r0", record={"engine": "painter", "facesets": {}, "model_dir": "models/old"})
    asked: list[tuple[str, str | None]] = []

    def named(_app: App, name: str, engine: str | None) -> object:
        asked.append((name, engine))
        return older

    monkeypatch.setattr(stage, "named_model", named)
    done = convert(app, ConvertOptions(model="r0"))
    assert painter.request.model_dir == app.workspace.root / "models" / "old"
    record = json.loads(found_beside(film.path).record.read_text())
    assert (record["run"], record["model"], record["settings"]["model"]) == ("r0", "models/old", "old")
    assert (done.run, done.model) == ("r0", "models/old")
    reconvert(app, film.name, (FrameRange(20, 30),))
    assert asked == [("r0", None), ("old", None)]
    record = json.loads(found_beside(film.path).record.read_text())
    assert record["again"] == [{"frames": [[20, 30]], "run": "r0", "left": False}]
    convert(app, ConvertOptions())
    record = json.loads(found_beside(film.path).record.read_text())
    assert (record["run"], "model" in record["settings"]) == ("r1", False)


def test_a_range_is_given_back_to_the_source(ready: tuple[App, JudgedFilm, Painter]) -> None:
    app, film, painter = ready
    convert(app, ConvertOptions(mask="components", no_label="a test"))
    reconvert(app, None, (FrameRange(20, 30),), leave=True)
    assert (painter.request.mask, painter.request.label) == ("components", False)
    after, source = _pixels(film.path), _pixels(film.source.path)
    assert np.abs(after[25].astype(int) - source[25]).mean() < 1.5
    assert int(after[31][60, 70, 1]) > 140
    assert json.loads(found_beside(film.path).record.read_text())["skip"] == [[20, 30]]


def test_the_swap_comes_and_goes_beside_what_is_left_and_no_more_beside_what_is_swapped_again(
    ready: tuple[App, JudgedFilm, Painter],
) -> None:
    app, film, painter = ready
    convert(app, ConvertOptions(skip=(FrameRange(40, 50),), fade=3))
    source, soft = _pixels(film.source.path), _pixels(film.path)
    reconvert(app, None, (FrameRange(20, 25),), leave=True)
    assert painter.request.ranges == (FrameRange(17, 28),)
    given = _pixels(film.path)
    face = (slice(45, 70), slice(70, 90))
    steps = [float(np.abs(given[n][face].astype(int) - source[n][face]).mean()) for n in (25, 26, 27, 28, 29)]
    assert steps == sorted(steps) and steps[0] < 2 < steps[1] < 0.5 * steps[-1], steps
    reconvert(app, None, (FrameRange(40, 50),))
    assert painter.request.ranges == (FrameRange(37, 53),)
    whole = _pixels(film.path)
    assert np.abs(soft[39][face].astype(int) - soft[30][face]).mean() > 10
    assert all(np.abs(whole[n][face].astype(int) - soft[30][face]).mean() < 3 for n in range(35, 56))
    record = json.loads(found_beside(film.path).record.read_text())
    assert (record["skip"], record["where"]) == ([[20, 25]], {"left": [[20, 25]]})
    assert [one["frames"] for one in record["again"]] == [[[20, 25]], [[40, 50]]]


def test_what_does_not_hold_is_left_out_of_a_film_of_any_name_as_it_was_made(
    ready: tuple[App, JudgedFilm, Painter],
) -> None:
    app, _film, painter = ready
    path = app.workspace.root / "results" / "Größe ß.mp4"
    made = ConvertOptions(output=path, ranges=(FrameRange(5, 60),), skip=(FrameRange(9, 12),), mask="none", no_mark="a")
    convert(app, made)
    judged_fine(app, find_film(app, path), but=5)
    assert "--where approved --film 'Größe ß.mp4'" in galloway(app, "review-swap", "show").stderr
    left = kept_ranges(app, find_film(app, path))
    done = convert_approved(app, path.name, {})
    asked = painter.request
    assert (done.result.output, asked.mask, asked.mark, asked.fade) == (path, "none", None, SOFT)
    assert (asked.ranges, asked.skip[0]) == ((FrameRange(5, 60),), FrameRange(9, 12))
    assert [(part.first, part.last) for part in asked.skip[1:]] == left == [(5, 8)]
    with pytest.raises(NothingToDo, match="said already"):
        convert_approved(app, None, {})
    for other in ({"ranges": (FrameRange(5, 50),)}, {"no_label": "a test"}, {"mask": "extended"}, {"fade": 0}):
        convert_approved(app, path.name, other)
    assert (painter.request.label, painter.request.mask, painter.request.fade) == (False, "extended", 0)
    assert painter.request.ranges == (FrameRange(5, 50),)
    text = '{"regions": [{"name": "him", "keys": [{"frame": 1, "rectangle": [0, 0, 9, 9]}]}]}'
    set_regions(app, find_source(app, Side.A, "clipa"), text, "him")
    convert_approved(app, path.name, {})


def judged_fine(app: App, film: JudgedFilm, but: int = 0) -> None:
    """Three people find every moment of the film fine but the one that begins with frame `but`."""
    swapped = frames_in(noted_ranges(film.record, "swapped_frames"))
    moments = known_moments(app, film, [FrameDoubt(number, "", 0.1) for number in sorted(swapped)])
    add_moments(app.workspace, film.id, moments)
    add_swap_votes(
        app.workspace,
        [
            SwapVote(
                f"{name}{m.number}-{film.id[:8]}", "t", "h", film.id, m.number, "edge" if m.first == but else "fine",
                "", name, datetime(2026, 11, 27, tzinfo=UTC), 5.0, "worker", True,
            )
            for m in moments
            for name in ("ann", "bob", "cid")
        ],
    )  # fmt: skip


def test_what_was_drawn_again_is_not_left_by_the_next_conversion(ready: tuple[App, JudgedFilm, Painter]) -> None:
    app, film, _painter = ready
    review(app, film)
    convert(app, ConvertOptions(approved=True))
    (first, last), *others = find_film(app, film.path).record["where"]["left"]
    reconvert(app, film.name, (FrameRange(first, last),))
    mended = find_film(app, film.path)
    assert mended.record["where"]["left"] == others
    judged_fine(app, mended)
    with pytest.raises(NothingToDo, match="said already"):
        convert(app, ConvertOptions(approved=True))
    convert(app, ConvertOptions(approved=True, fade=0))
    record = find_film(app, film.path).record
    assert record["skip"] == record["where"]["left"] == others
    assert set(range(first, last + 1)) <= frames_in(noted_ranges(record, "swapped_frames"))


def test_what_was_given_back_stays_left_by_the_next_conversion(ready: tuple[App, JudgedFilm, Painter]) -> None:
    app, film, _painter = ready
    convert(app)
    reconvert(app, None, (FrameRange(40, 50),), leave=True)
    given = find_film(app, film.path)
    assert given.record["where"] == {"left": [[40, 50]]}
    judged_fine(app, given, but=1)
    last = moments_of(app.workspace, given.id)[0].last
    convert(app, ConvertOptions(approved=True))
    assert find_film(app, film.path).record["skip"] == [[1, last], [40, 50]]


def test_what_was_painted_over_a_film_is_found_when_another_takes_its_place(
    ready: tuple[App, JudgedFilm, Painter], tmp_path: Path
) -> None:
    app, film, _painter = ready
    review(app, film)
    moment = next(m for m in moments_of(app.workspace, film.id) if m.first <= 74 <= m.last)
    mask = np.zeros((GRID, GRID), bool)
    mask[10:20, 10:20] = True
    painted = SwapVote(
        "mark", "t2", "h2", film.id, moment.number, MARKED, np.packbits(mask).tobytes().hex(), "ann",
        datetime(2026, 11, 27, tzinfo=UTC), 30.0, "person", False,
    )  # fmt: skip
    add_swap_votes(app.workspace, [painted])
    for fade in (4, 0):
        convert(app, ConvertOptions(approved=True, fade=fade))
    new = find_film(app, film.path)
    assert new.record["earlier"][0] == film.id != new.id
    marks = {one.id: [mask.first for mask in cover_masks(app, one)] for one in painted_films(app)}
    assert marks == {film.id: [moment.first]}
    assert [path.name for path in write_masks(app, new, tmp_path / "masks")] == [
        f"clipa-swapped_{moment.first:06d}-{moment.last:06d}.png"
    ]
    with pytest.raises(NothingToDo, match="Nobody was asked"):
        film_judged(app, new)


def test_ranges_after_the_end_of_the_film_are_refused(ready: tuple[App, JudgedFilm, Painter]) -> None:
    app, _film, painter = ready
    beyond = FrameRange(FRAMES + 4, FRAMES + 9)
    for chosen in (ConvertOptions(skip=(FrameRange(1, 3), beyond)), ConvertOptions(ranges=(beyond,))):
        with pytest.raises(StageError, match=f"clipa.mp4 has {FRAMES} frames; {FRAMES + 4}-{FRAMES + 9} is not in it"):
            convert(app, chosen)
    convert(app, ConvertOptions(skip=(FrameRange(90, FRAMES + 9),)))
    assert painter.request.skip == (FrameRange(90, FRAMES + 9),), "to the end"
    assert find_film(app).record["skip"] == [[90, FRAMES]]


def test_films_that_cannot_be_gone_on_with_are_refused_in_words(ready: tuple[App, JudgedFilm, Painter]) -> None:
    app, film, _ = ready
    with pytest.raises(StageError, match="did not note what is swapped"):
        reconvert(app, film.name, (FrameRange(1, 2),))
    with pytest.raises(StageError, match=r"There is no film '\.\./x\.mp4'"):
        reconvert(app, "../x.mp4", (FrameRange(1, 2),))
    convert(app)
    with pytest.raises(StageError, match=f"has {FRAMES} frames"):
        reconvert(app, film.name, (FrameRange(90, FRAMES + 1),))
    film.path.write_bytes(film.path.read_bytes() + b"x")
    with pytest.raises(StageError, match="was changed since it was made"):
        reconvert(app, film.name, (FrameRange(1, 2),))
    refused = galloway(app, "convert", "--again", "1-2", "--crf", "3")
    assert (refused.returncode, "leave --crf out" in refused.stderr) == (2, True)
    assert "go with --again" in galloway(app, "convert", "--film", "x.mp4").stderr
    both = galloway(app, "convert", "--where", "approved", "--film", "x.mp4", "--codec", "h264")
    assert (both.returncode, "leave --codec out" in both.stderr) == (2, True)
    assert "no film 'x.mp4'" in galloway(app, "convert", "--where", "approved", "--film", "x.mp4").stderr
