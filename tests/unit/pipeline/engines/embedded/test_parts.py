"""Work in parts gives the bytes of work in one piece: extraction and conversion, films and folders, cut anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from galloway.curation.spread import Spread
from galloway.curation.types import no_progress
from galloway.pipeline.engines import spans
from galloway.pipeline.engines.base import ConvertRequest, ExtractRequest, FrameRange
from galloway.pipeline.engines.embedded import drawing, parts, swapper
from galloway.pipeline.engines.embedded.convert import convert
from galloway.pipeline.engines.embedded.extract import extract
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.engines.spans import Span, SpanReader, Uncounted, frame_ticks, read_span
from PIL import Image

from tests.support.engines import (
    Blind,
    drawn_face,
    filmed_frames,
    green_model,
    landmarks_at,
    tree_digest,
    write_clip,
    write_drawn_alignments,
)
from tests.support.spread import Here, here

FRAMES = 40


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", filmed_frames(FRAMES))


def extracted(root: Path, source: Path, spread: Spread | None, **changes: object) -> dict[str, str]:
    """The digests of all that an extraction leaves, but for the order of the journal's lines."""
    request = ExtractRequest(source, root / "faces", root / "a.fsa", root / "work", size=64)
    extract(replace(request, **changes), no_progress, spread)  # type: ignore[arg-type]
    journal = next((root / "work").glob("*.jsonl"))
    journal.write_text("\n".join(sorted(journal.read_text().splitlines())))
    return tree_digest(root)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, clip: Path) -> dict[str, str]:
    """What this process makes of the clip in one piece."""
    return extracted(tmp_path_factory.mktemp("alone"), clip, None)


@pytest.mark.parametrize("size", [16, 32, 48])
def test_a_film_is_extracted_to_the_same_bytes_wherever_it_is_cut(
    tmp_path: Path, clip: Path, alone: dict[str, str], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_size", lambda _frames, _workers: size)
    assert sum(name.startswith("faces/") for name in alone) > FRAMES // 2
    assert extracted(tmp_path, clip, here()) == alone


def test_every_second_frame_too(tmp_path: Path, clip: Path) -> None:
    alone = extracted(tmp_path / "alone", clip, None, every_nth=2)
    assert extracted(tmp_path / "spread", clip, here(), every_nth=2) == alone


def test_photographs_too(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, picture in enumerate(filmed_frames(20)):
        Image.fromarray(picture).save(folder / f"{number:02d}.{'jpg' if number % 3 else 'png'}")
    Image.fromarray(filmed_frames(1)[0]).save(folder / "00.jpg")
    alone = extracted(tmp_path / "alone", folder, None)
    assert extracted(tmp_path / "spread", folder, here(2)) == alone


def test_what_was_stopped_alone_is_gone_on_with_by_workers_and_the_other_way_round(
    tmp_path: Path, clip: Path, alone: dict[str, str]
) -> None:

    def stop_at(frames: int, spread: Spread | None, root: Path) -> None:
        def progress(_what: str, done: int, _total: int | None) -> None:
            if done >= frames:
                raise KeyboardInterrupt

        request = ExtractRequest(clip, root / "faces", root / "a.fsa", root / "work", size=64)
        with pytest.raises(KeyboardInterrupt):
            extract(request, progress, spread)

    stop_at(21, None, tmp_path / "one")
    assert extracted(tmp_path / "one", clip, here(2)) == alone
    stop_at(16, here(2), tmp_path / "two")
    assert extracted(tmp_path / "two", clip, None) == alone


def test_only_parts_with_something_left_are_given_away(tmp_path: Path, clip: Path) -> None:
    pool = Here(2)
    extracted(tmp_path, clip, Spread(pool))
    assert [part.span.first for part in pool.sent] == [1, 33]
    assert [len(part.span.ticks) for part in pool.sent] == [33, 8], "each sees the frame after it"


def test_a_film_that_does_not_tell_its_times_is_read_in_one_piece(
    tmp_path: Path,
    clip: Path,
    alone: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real = parts.frame_ticks

    def wrong_at_the_end(path: Path) -> tuple[int, ...]:
        ticks = real(path) or ()
        return (*ticks[:-1], ticks[-1] + 1)

    for number, told in enumerate((lambda _path: None, wrong_at_the_end)):
        monkeypatch.setattr(parts, "frame_ticks", told)
        assert extracted(tmp_path / str(number), clip, here(2)) == alone
    assert "does not say when" in caplog.text
    assert "other frames from number 33 on" in caplog.text


def read(source: Path, first: int, ticks: Sequence[int], ends: bool) -> list[np.ndarray]:  # type: ignore[type-arg]
    return [frame.image for frame in read_span(open_source(source), Span(first, tuple(ticks), ends))]


def test_frames_from_the_middle_are_the_frames_of_the_whole(tmp_path: Path) -> None:
    film = tmp_path / "long.mp4"
    pts = [3 * number + number % 2 for number in range(FRAMES)]
    write_clip(film, filmed_frames(FRAMES), pts=pts, time_base=Fraction(1, 90))
    whole = [frame.image for frame in open_source(film).read()]
    ticks = frame_ticks(film)
    assert ticks is not None
    assert len(ticks) == FRAMES
    for first, last in ((1, 5), (7, 7), (20, 40), (39, 40)):
        some = read(film, first, ticks[first - 1 : last], last == FRAMES)
        assert np.array_equal(some, whole[first - 1 : last]), (first, last)


@pytest.mark.parametrize(("keys", "suffix", "opened"), [(250, ".mp4", 2), (250, ".mkv", 2), (10, ".mp4", 4)])
def test_spans_one_after_another_are_read_on_unless_a_key_frame_lies_between(
    tmp_path: Path, keys: int, suffix: str, opened: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every second span, as one of two workers gets them, then an earlier one: a film is opened again for that only."""
    film, real, times = tmp_path / f"film{suffix}", spans.open_video, []
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"g": str(keys), "sc_threshold": "0", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        for picture in filmed_frames(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:240, :320]))))
        container.mux(stream.encode(None))
    source, ticks = open_source(film), frame_ticks(film) or ()
    whole = [frame.image for frame in source.read()]
    monkeypatch.setattr(spans, "open_video", lambda path: (times.append(path), real(path))[1])
    reader = SpanReader(source)
    for first in (1, 17, 33, 9):
        span = Span(first, ticks[first - 1 : first + 7], first == 33)
        found = list(reader.read(span))
        assert [frame.number for frame in found] == list(range(first, first + 8))
        assert np.array_equal([frame.image for frame in found], whole[first - 1 : first + 7])
    reader.close()
    assert len(times) == opened


def test_a_span_that_names_other_frames_is_refused(clip: Path) -> None:
    ticks = frame_ticks(clip)
    assert ticks is not None
    for first, wrong, ends in (
        (3, [*ticks[2:4], ticks[5]], False),
        (3, ticks[2:10], True),
        (39, [*ticks[38:], 10**6], False),
    ):
        with pytest.raises(Uncounted, match="other frames"):
            read(clip, first, wrong, ends)


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return green_model(tmp_path_factory.mktemp("model"))


POINTS = [landmarks_at(80 + number % 9, 60, 50, roll=number % 7) for number in range(70)]


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = [drawn_face(points, 160, 120) for points in POINTS]
    return write_clip(tmp_path_factory.mktemp("talk") / "talk.mp4", frames)


def a_conversion(root: Path, film: Path, model: Path, output: str, **changes: object) -> ConvertRequest:
    suffix = film.suffix or ".png"
    names = sorted(path.name for path in film.iterdir()) if film.is_dir() else []
    found = {
        names[number] if names else f"{film.stem}_{number + 1:06d}{suffix}": [points]
        for number, points in enumerate(POINTS[: len(names) or None])
        if number % 5
    }
    known = write_drawn_alignments(root / "known.fsa", found)
    request = ConvertRequest(film, known, model, root / output, root / "run", label=True, mark=77)
    return replace(request, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("output", ["swapped.mp4", "swapped"])
def test_a_film_is_converted_to_the_same_bytes(
    tmp_path: Path, talk: Path, model_dir: Path, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(swapper, "trusted", lambda _folder: Blind())
    kept = {"ranges": (FrameRange(3, 60),), "skip": (FrameRange(20, 50),), "fade": 4}
    made = []
    for name, spread in (("alone", None), ("one", here(1)), ("many", here(16))):
        (tmp_path / name).mkdir()
        request = a_conversion(tmp_path / name, talk, model_dir, output, **kept)
        result = convert(request, no_progress, spread)
        digest = tree_digest(request.output) if request.output.is_dir() else request.output.read_bytes()
        made.append((digest, replace(result, output=Path())))
    assert made[0] == made[1] == made[2]
    assert made[0][1].swapped > 10
    assert made[0][1].hidden, "workers say so, too"


def test_a_folder_of_frames_too(tmp_path: Path, model_dir: Path) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in range(10):
        Image.fromarray(drawn_face(POINTS[number], 160, 120)).save(folder / f"{number:02d}.png")
    made = []
    for name, spread in (("alone", None), ("spread", here(2))):
        (tmp_path / name).mkdir()
        request = a_conversion(tmp_path / name, folder, model_dir, "swapped.mp4")
        assert convert(request, no_progress, spread).swapped == 8
        made.append(request.output.read_bytes())
    assert made[0] == made[1]


def test_frames_at_other_times_are_drawn_here(
    tmp_path: Path, talk: Path, model_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made, real = [], drawing.frame_ticks
    for name, spread in (("alone", None), ("spread", here(2))):
        (tmp_path / name).mkdir()
        if spread is not None:
            monkeypatch.setattr(
                drawing, "frame_ticks", lambda path: (*(real(path) or ())[:40], *range(10**6, 10**6 + 30))
            )
        request = a_conversion(tmp_path / name, talk, model_dir, "swapped.mkv")
        convert(request, no_progress, spread)
        with av.open(str(request.output)) as film:
            made.append([frame.to_ndarray() for frame in film.decode(video=0)])
    assert np.array_equal(made[0], made[1])
    assert "drawn by this process alone" in caplog.text


def test_a_worker_that_does_not_see_the_footage_says_so(tmp_path: Path, clip: Path) -> None:
    pool = Here(2)
    extracted(tmp_path, clip, Spread(pool))
    elsewhere = replace(pool.sent[0].source, path=tmp_path / "not-here.mp4")
    with pytest.raises(FileNotFoundError, match="not-here"):
        parts.extract_part(replace(pool.sent[0], source=elsewhere))
