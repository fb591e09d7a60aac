"""Whatever is in a file, the doctor gives a report and no traceback; and the box reader is never led astray."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from galloway.pipeline.video import check_video
from galloway.pipeline.video.boxes import Edit, read_boxes
from galloway.pipeline.video.ends import missing_bytes
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.videos import ffmpeg, sound_video

ANY = settings(max_examples=60)
_MATROSKA, _ASF, _MXF = "1a45dfa3", "3026b2758e66cf11a6d900aa0062ce6c", "060e2b34020501010d010201"
HEADS = (*map(bytes.fromhex, (_MATROSKA, _ASF, _MXF)), b"OggS\0", b"GIF89a")


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return sound_video(tmp_path_factory.mktemp("v") / "clip.mp4", size="64x48", seconds=1).read_bytes()


@ANY
@given(
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=30),
    keep=st.one_of(st.just(1.0), st.floats(0, 1)),
)
def test_a_damaged_file_gives_a_report(
    healthy: bytes, tmp_path: Path, changes: list[tuple[float, int]], keep: float
) -> None:
    data = bytearray(healthy)
    index = data.index(b"moov")
    for place, value in changes:
        # Within the index, where a byte decides how all others are read.
        data[index + int(place * 2500)] = value
    path = tmp_path / "damaged.mp4"
    path.write_bytes(data[: int(len(data) * keep)])
    report = check_video(path)
    json.dumps(report.to_json())
    assert report.ok or report.findings


@ANY
@given(st.binary(max_size=400))
def test_any_bytes_are_read_as_boxes_or_not_at_all(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "bytes.mp4"
    path.write_bytes(b"\0\0\0\x08ftyp" + data)
    boxes = read_boxes(path)
    assert boxes is not None and boxes.missing_bytes >= 0


def box(kind: bytes, payload: bytes, *, wide: bool = False) -> bytes:
    if wide:
        return b"\0\0\0\x01" + kind + (16 + len(payload)).to_bytes(8, "big") + payload
    return (8 + len(payload)).to_bytes(4, "big") + kind + payload


def track(handler: bytes, edits: bytes) -> bytes:
    return box(b"trak", box(b"mdia", box(b"hdlr", bytes(8) + handler + bytes(12))) + box(b"edts", box(b"elst", edits)))


@pytest.mark.parametrize("wide", [False, True])
def test_the_edit_list_of_the_video_track_is_read(tmp_path: Path, wide: bool) -> None:
    sound = bytes(4) + (1).to_bytes(4, "big") + (5).to_bytes(4, "big") + (7).to_bytes(4, "big") + bytes(4)
    long = b"\x01\0\0\0" + (2).to_bytes(4, "big")
    long += (852).to_bytes(8, "big") + (-1).to_bytes(8, "big", signed=True) + bytes(4)
    long += (9176).to_bytes(8, "big") + (0).to_bytes(8, "big") + bytes(4)
    path = tmp_path / "boxes.mp4"
    path.write_bytes(box(b"ftyp", b"isom") + box(b"moov", track(b"soun", sound) + track(b"vide", long), wide=wide))
    boxes = read_boxes(path)
    assert boxes is not None and boxes.has_index and boxes.edits == (Edit(852, -1), Edit(9176, 0))


def test_a_box_without_a_length_reaches_to_the_end(tmp_path: Path) -> None:
    path = tmp_path / "boxes.mp4"
    path.write_bytes(box(b"ftyp", b"isom") + b"\0\0\0\0mdat" + bytes(50))
    boxes = read_boxes(path)
    assert boxes is not None and (boxes.has_index, boxes.missing_bytes) == (False, 0)


def test_what_is_no_mp4_has_no_boxes(tmp_path: Path) -> None:
    path = tmp_path / "x.avi"
    path.write_bytes(b"RIFF....AVI ")
    assert read_boxes(path) is None


SOUNDS = {"webm": "libopus", "mkv": "flac", "wmv": "wmav2", "ogv": "libvorbis", "mxf": "pcm_s16le"}
PICTURES = {"webm": "libvpx", "mkv": "libx264", "wmv": "wmv2", "ogv": "libtheora", "mxf": "mpeg2video", "gif": "gif"}


@pytest.mark.parametrize("ending", sorted(PICTURES))
def test_a_file_that_breaks_off_is_found_in_every_container(ending: str, tmp_path: Path) -> None:
    whole, cut = tmp_path / f"whole.{ending}", tmp_path / f"cut.{ending}"
    sound = ["-c:a", SOUNDS[ending], "-ar", 48000] if ending in SOUNDS else ["-an"]
    clip = sound_video(tmp_path / "clip.mp4", size="64x48", seconds=1)
    ffmpeg("-i", clip, "-c:v", PICTURES[ending], "-q:v", 4, *sound, whole)
    data = whole.read_bytes()
    assert missing_bytes(whole) == 0
    assert not [found for found in check_video(whole).findings if found.code == "truncated"]
    for share in (0.5, 0.8, 0.97):
        cut.write_bytes(data[: int(len(data) * share)])
        report = check_video(cut)
        assert 0 < missing_bytes(cut) <= len(data) - len(cut.read_bytes())
        assert {"truncated", "unreadable"} & {found.code for found in report.findings}
        assert "missing" in report.findings[0].what


def test_a_recording_that_was_streamed_lacks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "live.mkv"
    ffmpeg("-i", sound_video(tmp_path / "clip.mp4", size="64x48", seconds=1), "-c", "copy", "-live", 1, path)
    assert missing_bytes(path) == 0


@ANY
@example(b"\x1aE\xdf\xa3", b"\x01" + b"\xff" * 6 + b"\xfe")  # parts longer than any file
@example(HEADS[1], b"\0" * 14 + b"\0" * 16 + b"\xff" * 8)
@given(st.sampled_from(HEADS), st.binary(max_size=400))
def test_any_bytes_have_an_end_or_none(tmp_path: Path, head: bytes, data: bytes) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(head + data)
    assert missing_bytes(path) >= 0
