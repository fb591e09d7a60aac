"""`galloway convert --where approved`: what people said does not hold keeps its pixels, with soft cuts."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.engines.base import ConvertRequest, ConvertResult, FrameRange
from galloway.pipeline.engines.disclosure import METADATA
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import Frame, open_source
from galloway.pipeline.engines.pixels import mixed
from galloway.pipeline.errors import NothingToDo
from galloway.pipeline.judging.alone import next_own
from galloway.pipeline.judging.film import JudgedFilm, doubts_of, find_film
from galloway.pipeline.judging.outcome import kept_ranges
from galloway.pipeline.judging.rounds import known_moments
from galloway.pipeline.stages import convert as stage
from galloway.pipeline.stages.convert import SOFT, ConvertOptions, convert
from galloway.pipeline.stages.sources import plan_removal, remove_source
from galloway.pipeline.workspace.judged import SwapVote, add_moments, add_swap_votes, swap_batches, swap_votes
from numpy.typing import NDArray

from tests.support.judged import FRAMES, film_app, right
from tests.support.workspace import galloway


class Painter:
    """An engine that paints the face's place green, as the protocol asks."""

    name = "painter"

    def convert(self, request: ConvertRequest, _progress: object) -> ConvertResult:
        self.request = request
        swapped = 0

        def change(frame: Frame) -> NDArray[np.uint8] | None:
            nonlocal swapped
            if any(frame.number in part for part in request.skip):
                return None
            swapped += 1
            after = frame.image.copy()
            after[30:70, 60:100] = (60, 160, 90)
            return mixed(frame.image, after, request.share_at(frame.number))

        made = rewrite(open_source(request.source), request.output, change, metadata={**METADATA, **request.metadata})
        return ConvertResult(request.output, made.frames, swapped, swapped, False)


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
    monkeypatch.setattr(App, "engine", lambda _app, _name: painter)
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
    record = json.loads(film.path.with_suffix(".json").read_text())
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
