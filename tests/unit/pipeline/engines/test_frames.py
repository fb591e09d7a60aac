"""Reading and writing frames: numbers, times, sound, sizes, and files that are broken."""

from __future__ import annotations

import subprocess
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest
from galloway.curation.files import TEMPORARY
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.engines.film import VideoWriter, rewrite
from galloway.pipeline.engines.frames import Frame, Part, open_source
from galloway.pipeline.engines.pixels import brightened, samples_of
from galloway.pipeline.video.facts import measure
from PIL import Image

from tests.support.engines import a_picture, write_clip
from tests.support.videos import ffmpeg


def times(path: Path) -> list[Fraction]:
    with av.open(str(path)) as container:
        frames = [(frame.pts, frame.time_base) for frame in container.decode(video=0)]
    return [pts * base for pts, base in frames if pts is not None and base is not None]


def sound_seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def same(frame: Frame) -> np.ndarray:
    return frame.image


def test_a_clip_is_read_as_it_was_written(tmp_path: Path) -> None:
    pictures = [a_picture(64, 48, seed) for seed in range(7)]
    source = open_source(write_clip(tmp_path / "clip.mp4", pictures))
    frames = list(source.read())
    assert (source.frames, source.width, source.height, source.rate) == (7, 64, 48, Fraction(10))
    assert [frame.name for frame in frames][:2] == ["clip_000001.mp4", "clip_000002.mp4"]
    for frame, picture in zip(frames, pictures, strict=True):
        assert np.abs(frame.image.astype(int) - picture).mean() < 7


def test_rewriting_keeps_times_sound_and_untouched_pixels(tmp_path: Path) -> None:
    pictures = [a_picture(64, 48, seed) for seed in range(9)]
    pts = [3000, 3100, 3400, 3410, 4000, 4001, 5000, 5100, 7000]
    clip = write_clip(tmp_path / "vfr.mp4", pictures, pts=pts, time_base=Fraction(1, 6000))
    assert len(set(np.diff([float(t) for t in times(clip)]).round(6))) > 3, "the clip really varies"
    out = tmp_path / "out.mp4"
    assert rewrite(open_source(clip), out, same, metadata={"comment": "swapped", "synthetic": "yes"}).frames == 9
    assert times(out) == times(clip)
    assert sound_seconds(out) == pytest.approx(sound_seconds(clip), abs=0.001)
    with av.open(str(out)) as container:
        assert container.metadata["comment"] == "swapped"
        assert container.metadata["synthetic"] == "yes"


def test_sound_that_mp4_does_not_take_is_encoded_anew(tmp_path: Path) -> None:
    path = tmp_path / "pcm.mkv"
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = container.add_stream("pcm_s16le", rate=22050, layout="mono")
        for index in range(10):
            for packet in video.encode(av.VideoFrame.from_ndarray(a_picture(64, 48, index), format="rgb24")):
                container.mux(packet)
        wave = (np.sin(np.arange(22050) / 10) * 8000).astype(np.int16)[None]
        frame = av.AudioFrame.from_ndarray(wave, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 22050, 0, Fraction(1, 22050)
        for packet in (*sound.encode(frame), *sound.encode(None), *video.encode(None)):
            container.mux(packet)
    out = tmp_path / "out.mp4"
    made = rewrite(open_source(path), out, same)
    assert (made.frames, made.has_sound) == (10, True)
    assert sound_seconds(out) == pytest.approx(1.0, abs=0.1)


def test_a_silent_clip_stays_silent(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "silent.mp4", [a_picture(32, 32)] * 3, sound=False)
    out = tmp_path / "out.mp4"
    made = rewrite(open_source(clip), out, same)
    assert (made.frames, made.has_sound) == (3, False)
    with av.open(str(out)) as container:
        assert not container.streams.audio


@pytest.mark.parametrize(("width", "height"), [(33, 47), (16, 17), (1920, 18)])
def test_unusual_sizes_are_made_even_and_keep_their_pixels(tmp_path: Path, width: int, height: int) -> None:
    picture = np.repeat(np.add.outer(np.arange(height), np.arange(width))[..., None] % 200, 3, 2).astype(np.uint8)
    source = open_source(write_clip(tmp_path / "odd.mp4", [picture] * 2, sound=False))
    assert (source.width % 2, source.height % 2) == (0, 0)
    frame = next(source.read()).image[:height, :width]
    assert np.abs(frame.astype(int) - picture).mean() < 7


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotation_flag_is_applied_as_a_player_does(tmp_path: Path, degrees: int) -> None:
    picture = np.zeros((48, 80, 3), np.uint8)
    picture[:12, :20] = 255
    plain = write_clip(tmp_path / "plain.mp4", [picture] * 2, sound=False)
    flagged = tmp_path / "flagged.mp4"

    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error"]
    flag = ["-display_rotation", str(degrees), "-i", str(plain), "-c", "copy", str(flagged)]
    subprocess.run([*ffmpeg, *flag], check=True)
    raw = ["-i", str(flagged), "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    shown = subprocess.run([*ffmpeg, *raw], check=True, capture_output=True).stdout
    source = open_source(flagged)
    want = np.frombuffer(shown, np.uint8).reshape(source.height, source.width, 3)
    got = next(source.read()).image
    assert got.shape == want.shape
    assert np.abs(got.astype(int) - want).mean() < 3


def test_pictures_of_a_folder_in_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.jpg", "a.png", "c.webp"):
        Image.fromarray(a_picture(40, 30, ord(name[0]))).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    source = open_source(tmp_path)
    frames = list(source.read())
    assert [(frame.number, frame.name) for frame in frames] == [(1, "a.png"), (2, "b.jpg"), (3, "c.webp")]
    assert (source.is_video, source.frames) == (False, 3)


def test_photographs_are_turned_upright(tmp_path: Path) -> None:
    picture = Image.fromarray(a_picture(40, 20))
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.save(tmp_path / "phone.jpg", exif=exif)
    assert next(open_source(tmp_path).read()).image.shape == (40, 20, 3)


def test_a_folder_of_pictures_of_several_sizes_becomes_one_video(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index, size in enumerate([(40, 30), (30, 40), (80, 20)]):
        Image.fromarray(a_picture(*size)).save(folder / f"{index}.png")
    out = tmp_path / "out.mp4"
    assert rewrite(open_source(folder), out, same).frames == 3
    assert {frame.image.shape for frame in open_source(out).read()} == {(30, 40, 3)}


def test_what_is_not_there_or_no_video_names_the_remedy(tmp_path: Path) -> None:
    text = tmp_path / "text.mp4"
    text.write_text("this is no video")
    picture = tmp_path / "one.png"
    Image.fromarray(a_picture(8, 8)).save(picture)
    empty = tmp_path / "empty"
    empty.mkdir()
    for path, words in (
        (tmp_path / "missing.mp4", "galloway ingest"),
        (text, "galloway video check"),
        (picture, "folder"),
        (empty, "holds no pictures"),
    ):
        with pytest.raises(EngineError, match=words):
            open_source(path)


def test_a_cover_is_no_film(tmp_path: Path) -> None:
    """Sound with a picture on its cover: what the doctor calls no video is none to a reader either."""
    cover, song = tmp_path / "cover.png", tmp_path / "song.m4a"
    Image.fromarray(a_picture(64, 64)).save(cover)
    sound = ["-f", "lavfi", "-i", "sine=d=0.2", "-i", str(cover), "-map", "0:a", "-map", "1:v", "-c:v", "png"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *sound, "-disposition:v", "attached_pic", str(song)]
    subprocess.run(command, check=True)
    assert not measure(song).readable
    with pytest.raises(EngineError, match="has no video in it"):
        open_source(song)


def test_a_damaged_picture_is_named(tmp_path: Path) -> None:
    Image.fromarray(a_picture(20, 20)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes()[:60])
    with pytest.raises(EngineError, match=r"b\.png"):
        [frame.image for frame in open_source(tmp_path).read()]


def test_a_truncated_video_is_an_error_and_leaves_no_result(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [a_picture(64, 48, seed) for seed in range(5)])
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(clip.read_bytes()[:-600])
    out = tmp_path / "out.mp4"
    try:
        source = open_source(broken)
        rewrite(source, out, same)
    except EngineError as error:
        assert "galloway video" in str(error)
        assert not out.exists()
    else:
        assert len(list(open_source(out).read())) >= 1
    assert not list(tmp_path.glob(f"{TEMPORARY}*"))


def test_a_failure_in_the_middle_leaves_the_result_of_before(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [a_picture(64, 48, seed) for seed in range(5)])
    out = tmp_path / "out.mp4"
    out.write_bytes(b"the result of before")

    def fail(frame: Frame) -> np.ndarray:
        if frame.number == 3:
            raise KeyboardInterrupt
        return frame.image

    with pytest.raises(KeyboardInterrupt):
        rewrite(open_source(clip), out, fail)
    assert out.read_bytes() == b"the result of before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "out.mp4"]


def test_frames_whose_time_stands_still_are_still_written(tmp_path: Path) -> None:
    path = tmp_path / "stuck.mp4"
    with VideoWriter(path, width=32, height=32, rate=Fraction(10), time_base=Fraction(1, 1000)) as writer:
        for pts in (0, 100, 100, 90, 400):
            writer.write(a_picture(32, 32), pts)
    found = times(path)
    assert len(found) == 5
    assert found == sorted(set(found))


def test_a_playlist_opens_no_other_file(tmp_path: Path) -> None:
    """ffconcat and HLS name files beside them; FFmpeg would read those, and show them as the clip's own frames."""
    clip = write_clip(tmp_path / "other.mp4", [a_picture(64, 48, seed) for seed in range(5)])
    lists = {
        "a.mp4": f"ffconcat version 1.0\nfile '{clip.name}'\n",
        "b.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{clip.name}\n#EXT-X-ENDLIST\n",
    }
    assert open_source(clip).is_video
    for name, text in lists.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        with pytest.raises(EngineError, match=name):
            open_source(tmp_path / name)
        assert not measure(tmp_path / name).readable


@pytest.mark.parametrize("form", ["yuv420p", "yuv444p", "yuv422p10le", "gbrp"])
def test_what_is_new_in_a_frame_can_be_sent_and_put_into_another_copy_of_it(form: str) -> None:
    native = av.VideoFrame.from_ndarray(a_picture(70, 50)).reformat(format=form)
    native.time_base = Fraction(1, 25)
    frames = [Frame(1, "f", lambda: native.to_ndarray(format="rgb24"), native=native) for _ in range(2)]
    edges = ((0, 0, 33, 20), (48, 32, 70, 50))
    before = [frames[0].part(*edge) for edge in edges]
    parts = [Part(x, y, old, 255 - old) for (x, y, *_), old in zip(edges, before, strict=True)]
    for picture in (False, True):
        whole, sent = frames[0].with_parts(parts, picture=picture), frames[0].patches(parts, picture=picture)
        put = frames[1].patched(sent, picture=picture)
        planes = [(each,) if picture else samples_of(each, 0, 0, 70, 50) for each in (whole, put)]
        assert all(np.array_equal(one, other) for one, other in zip(*planes, strict=True))


@pytest.mark.parametrize("kind", [np.int8, np.int16])
def test_brightness_is_held_within_a_byte(kind: type) -> None:
    rows = np.repeat(np.array([0, 1, 100, 253, 255], np.uint8), 64)[:, None].repeat(64, axis=1)
    frame = av.VideoFrame.from_ndarray(rows, format="gray")
    frame.time_base = Fraction(1, 25)
    steps = np.tile(np.arange(-3, 5), 8).astype(kind)
    made = brightened(frame, lambda samples, scale: np.broadcast_to(steps * scale, samples.shape).astype(kind))
    assert np.array_equal(made.to_ndarray(), np.clip(rows.astype(int) + steps, 0, 255))


def test_frames_are_not_guessed_from_before_the_clock_begins(tmp_path: Path) -> None:
    clip = tmp_path / "late.mkv"
    footage = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=1"]
    ffmpeg(*footage, "-c:v", "ffv1", "-output_ts_offset", 5, clip)
    assert open_source(clip).frames == 25
