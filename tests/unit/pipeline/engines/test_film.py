"""A result is its source but for the swapped pixels: the system's ffprobe and ffmpeg judge, not our own reader."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.engines.compare import compare
from galloway.pipeline.engines.disclosure import METADATA, says_face_swap, stranger
from galloway.pipeline.engines.encodings import Encoding, chosen_encoding, pixel_format
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import load_picture, open_source
from galloway.pipeline.engines.pixels import samples_of
from PIL import Image

from tests.support.films import kept, raw, seen, swapped
from tests.support.videos import X264, ffmpeg, probe

pytestmark = pytest.mark.ffprobe

PATCHES = ((200, 30, 30), (30, 200, 30), (30, 30, 200), (240, 200, 40), (128, 128, 128))


def picture(path: Path) -> dict[str, Any]:
    return next(stream for stream in probe(path)["streams"] if stream["codec_type"] == "video")


def psnr(one: np.ndarray, two: np.ndarray) -> float:
    error = float(((one.astype(float) - two) ** 2).mean())
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)


def distances(one: Path, two: Path) -> list[float]:
    """PSNR of each frame over all its samples, by ffmpeg."""
    told = two.with_suffix(".psnr")
    graph = f"[0:v]settb=1/25,setpts=N[a];[1:v]settb=1/25,setpts=N[b];[a][b]psnr=stats_file={told.name}"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(one), "-i", str(two), "-lavfi", graph]
    subprocess.run([*command, "-f", "null", "-"], check=True, cwd=two.parent)
    return [float(value) for value in re.findall(r"psnr_avg:(\S+)", told.read_text())]


def bars(path: Path, *arguments: object, matrix: str = "bt709", size: str = "320x180", full: bool = False) -> Path:
    """Coloured patches whose right values are known, with noise beside them; encoded by ffmpeg with its own matrix."""
    width, height = map(int, size.split("x"))
    boxes = ",".join(
        f"drawbox=x={width * i // 5}:y=0:w={width // 5}:h={height // 2}:c=0x{r:02x}{g:02x}{b:02x}:t=fill"
        for i, (r, g, b) in enumerate(PATCHES)
    )
    name = {"bt709": "bt709", "bt601": "smpte170m"}[matrix]
    scale = f"scale=out_color_matrix={matrix}:out_range={'full' if full else 'limited'}:flags=accurate_rnd"
    noise = f"testsrc2=size={width}x{height // 2}:rate=25:duration=1[n];[b][n]overlay=0:{height // 2}"
    graph = f"color=c=black:s={size}:r=25:d=1,format=rgb24,{boxes}[b];{noise},format=gbrp,{scale}"
    tags = ["-colorspace", name, "-color_primaries", name, "-color_trc", name, "-color_range", "pc" if full else "tv"]
    ffmpeg("-filter_complex", graph, *(arguments or (*X264, "-pix_fmt", "yuv420p")), *tags, path)
    return path


@pytest.mark.parametrize("matrix", ["bt709", "bt601"])
@pytest.mark.parametrize("full", [False, True])
def test_colours_and_their_tags_stay(tmp_path: Path, matrix: str, full: bool) -> None:
    clip = bars(tmp_path / "clip.mp4", matrix=matrix, full=full)
    rewrite(open_source(clip), tmp_path / "out.mp4", swapped, encoding=Encoding())
    before, after = picture(clip), picture(tmp_path / "out.mp4")
    for tag in ("color_space", "color_primaries", "color_transfer", "color_range", "pix_fmt"):
        assert after.get(tag) == before.get(tag), tag
    for number, (old, new) in enumerate(zip(seen(clip), seen(tmp_path / "out.mp4"), strict=True), start=1):
        for index, colour in enumerate(PATCHES):
            x = 320 * index // 5 + 50
            assert np.abs(old[20, x].astype(int) - colour).max() <= 6, "ffmpeg's own rounding"
            assert np.abs(new[20, x].astype(int) - old[20, x]).max() <= 2
        if number % 2 == 0:
            assert np.abs(new[60, 70].astype(int) - (20, 220, 20)).max() <= 6
    assert min(distances(clip, tmp_path / "out.mp4")[::2]) >= 50


@pytest.mark.parametrize(("codec", "ending"), [("h264", "mp4"), ("h265", "mp4"), ("prores", "mov"), ("ffv1", "mkv")])
def test_primaries_and_transfer_stay_in_every_frame(tmp_path: Path, codec: str, ending: str) -> None:
    tags = ["-vf", "setparams=range=tv:color_primaries=bt2020:color_trc=bt709:colorspace=bt709"]
    clip, out = tmp_path / "clip.mp4", tmp_path / f"out.{ending}"
    footage = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=0.4"]
    ffmpeg(*footage, *X264, "-pix_fmt", "yuv420p", *tags, clip)
    rewrite(open_source(clip), out, swapped, encoding=Encoding(codec))
    shown = ["-show_entries", "frame=color_space,color_primaries,color_transfer", "-of", "csv=p=0", str(out)]
    command = ["ffprobe", "-v", "error", "-select_streams", "v", *shown]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert {line.strip(",") for line in told.split()} == {"bt709,bt2020,bt709"}
    assert all(item.same for item in compare(clip, out) if item.what in ("matrix", "primaries", "transfer"))


def test_hd_without_tags_gets_none_and_keeps_its_values(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=25:duration=0.4", *X264, "-pix_fmt", "yuv420p", clip)
    rewrite(open_source(clip), tmp_path / "out.mp4", swapped, encoding=Encoding())
    assert picture(tmp_path / "out.mp4").get("color_space") == picture(clip).get("color_space")
    assert min(distances(clip, tmp_path / "out.mp4")[::2]) >= 50


LOSSLESS = [("h264", ".mp4"), ("h264", ".mkv"), ("h265", ".mov"), ("ffv1", ".mkv")]


@pytest.mark.parametrize(("codec", "suffix"), LOSSLESS)
@pytest.mark.parametrize("stored", ["yuv420p", "yuv422p10le", "yuv444p"])
def test_a_lossless_choice_is_bit_exact_where_nothing_was_swapped(
    tmp_path: Path, codec: str, suffix: str, stored: str
) -> None:
    clip = tmp_path / "clip.mkv"
    source = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=0.3"]
    ffmpeg(*source, "-pix_fmt", stored, "-c:v", "ffv1", clip)
    out = tmp_path / f"out{suffix}"
    rewrite(open_source(clip), out, swapped, encoding=Encoding(codec, None if codec == "ffv1" else 0))
    assert picture(out)["pix_fmt"] == stored
    old, new = (raw(path, stored) for path in (clip, out))
    assert np.array_equal(old[::2], new[::2]), "frames that were not swapped"
    assert not np.array_equal(old[1::2], new[1::2])


@pytest.mark.parametrize("ending", [".mov", ".mkv"])
@pytest.mark.parametrize("stored", ["yuv420p", "yuv422p10le"])
def test_full_range_becomes_limited_where_the_codec_knows_no_other(tmp_path: Path, ending: str, stored: str) -> None:
    clip, out = tmp_path / "clip.mkv", tmp_path / f"out{ending}"
    bars(clip, "-pix_fmt", stored, "-c:v", "ffv1", full=True)
    rewrite(open_source(clip), out, swapped, encoding=Encoding("prores"))
    old, new = ([frame.native for frame in open_source(path).read()] for path in (clip, out))
    most, step = 255 if stored == "yuv420p" else 1023, 4
    before, after = (samples_of(frames[0], 0, 0, 320, 180)[0].astype(float) for frames in (old, new))
    off = after - (16 + before / most * 219) * step
    assert abs(off.mean()) < 0.5 and np.abs(off[:80]).mean() < 2, "in steps of ten bits"
    for number, (one, two) in enumerate(zip(seen(clip), seen(out), strict=True), start=1):
        for index in range(len(PATCHES)):
            x = 320 * index // 5 + 50
            assert np.abs(two[20, x].astype(int) - one[20, x]).max() <= 4
        if number % 2 == 0:
            assert np.abs(two[60, 70].astype(int) - (20, 220, 20)).max() <= 6
    assert {item.what: (item.before, item.after) for item in compare(clip, out)}["range"] == ("full", "limited")


@pytest.mark.parametrize("ending", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("name", ["held.mp4", "held.mkv", "held.gif"])
def test_the_last_frame_stays_for_as_long_as_in_the_source(tmp_path: Path, name: str, ending: str) -> None:
    clip, out = tmp_path / name, tmp_path / f"out{ending}"
    if name == "held.gif":
        shades = [Image.new("RGB", (160, 120), (40 * step, 90, 90)) for step in range(4)]
        shades[0].save(clip, save_all=True, append_images=shades[1:], duration=[100, 100, 100, 1500])
    else:
        _with_held_end(clip)
    rewrite(open_source(clip), out, swapped, encoding=Encoding())
    assert _lasts(out)[-1] == pytest.approx(1.5, abs=0.01)
    assert all(_lasts(out)[at] == pytest.approx(_lasts(clip)[at], abs=0.01) for at in (0, 1))
    length = {item.what: item for item in compare(clip, out)}["length"]
    assert length.same
    assert float(length.after.split()[0]) == pytest.approx(float(probe(out)["format"]["duration"]), abs=0.02)


def test_a_length_that_differs_is_said(tmp_path: Path) -> None:
    clip, short = _with_held_end(tmp_path / "held.mp4"), tmp_path / "short.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=0.4", *X264, "-bf", 0, short)
    length = {item.what: item for item in compare(clip, short)}["length"]
    assert (length.before, length.after) == ("1.86 s", "0.40 s")


def _with_held_end(path: Path) -> Path:
    """A film of ten frames of which the last stays for a second and a half, as its packet says."""
    import av

    plain = path.with_name(f"plain{path.suffix}")
    footage = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=0.4"]
    ffmpeg(*footage, *X264, "-bf", 0, "-pix_fmt", "yuv420p", plain)
    with av.open(str(plain)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        packets[-1].duration = round(1.5 / packets[-1].time_base)
        for packet in packets:
            packet.stream = stream
            target.mux(packet)
    return path


def _lasts(path: Path) -> list[float]:
    """For how long each frame stays, as the system's ffprobe says."""
    shown = ["-select_streams", "v", "-show_entries", "packet=duration_time", "-of", "csv=p=0", str(path)]
    run = subprocess.run(["ffprobe", "-v", "error", *shown], capture_output=True, text=True, check=True)
    return [float(line.strip(",")) for line in run.stdout.split()]


@pytest.mark.parametrize(
    ("codec", "suffix", "stored", "name"),
    [
        ("h264", ".mp4", "yuv420p", "h264"),
        ("h264", ".mov", "yuv422p10le", "h264"),
        ("h265", ".mp4", "yuv420p10le", "hevc"),
        ("prores", ".mov", "yuv422p10le", "prores"),
        ("ffv1", ".mkv", "yuv420p", "ffv1"),
        ("png", ".mov", "rgb24", "png"),
    ],
)
def test_the_codec_that_was_chosen(tmp_path: Path, codec: str, suffix: str, stored: str, name: str) -> None:
    clip = bars(tmp_path / "clip.mkv", "-pix_fmt", "gbrp" if stored == "rgb24" else stored, "-c:v", "ffv1")
    out = tmp_path / f"out{suffix}"
    rewrite(open_source(clip), out, swapped, encoding=Encoding(codec))
    stream = picture(out)
    assert (stream["codec_name"], stream["pix_fmt"]) == (name, stored)
    assert min(distances(clip, out)[::2]) >= 50


def test_pixel_shape_stays(tmp_path: Path) -> None:
    clip = tmp_path / "pal.mp4"
    wide = ["-f", "lavfi", "-i", "testsrc2=size=360x288:rate=25:duration=0.4", "-vf", "setsar=64/45"]
    ffmpeg(*wide, *X264, "-pix_fmt", "yuv420p", clip)
    for suffix in (".mp4", ".mov", ".mkv"):
        out = tmp_path / f"out{suffix}"
        rewrite(open_source(clip), out, kept)
        assert picture(out)["sample_aspect_ratio"] == "64:45"
    for suffix, codec in ((".mkv", "ffv1"), (".mov", "prores"), (".mov", "png")):
        out = tmp_path / f"{codec}{suffix}"
        rewrite(open_source(clip), out, kept, encoding=Encoding(codec))
        shown = ["-select_streams", "v", "-show_entries", "frame=sample_aspect_ratio", "-of", "csv=p=0", str(out)]
        run = subprocess.run(["ffprobe", "-v", "error", *shown], capture_output=True, text=True, check=True)
        assert set(run.stdout.replace(",", "").split()) == {"64:45"}, codec


MAKERS: dict[str, Sequence[object]] = {
    "clip.mp4": [*X264, "-pix_fmt", "yuv420p", "-c:a", "aac"],
    "clip.mov": [*X264, "-pix_fmt", "yuv420p", "-c:a", "pcm_s16le"],
    "clip.mkv": [*X264, "-pix_fmt", "yuv420p", "-c:a", "flac"],
    "clip.webm": ["-c:v", "libvpx", "-b:v", "2M", "-c:a", "libopus"],
    "clip.avi": ["-c:v", "mpeg4", "-q:v", 2, "-c:a", "libmp3lame"],
    "clip.ts": [*X264, "-pix_fmt", "yuv420p", "-c:a", "aac", "-muxdelay", 0, "-output_ts_offset", 3600],
}


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("name", MAKERS)
def test_rate_length_sound_and_frames_stay_from_every_container_to_every_other(
    tmp_path: Path, name: str, suffix: str
) -> None:
    clip = tmp_path / name
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=24000/1001:duration=2"]
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2"]
    ffmpeg(*inputs, *tone, *MAKERS[name], clip)
    out = tmp_path / f"out{suffix}"
    made = rewrite(open_source(clip), out, swapped, encoding=Encoding())
    before, after = seen(clip), seen(out)
    assert made.frames == len(before) == len(after)
    assert min(distances(clip, out)[::2]) >= 50
    found = probe(out)
    video, sound = ([s for s in found["streams"] if s["codec_type"] == kind] for kind in ("video", "audio"))
    # ffmpeg leaves the second slot of an AVI with MPEG-4 empty: 48 pictures in 49 places.
    slack = 0.6 if name.endswith(".avi") else 0.02
    assert abs(Fraction(video[0]["avg_frame_rate"]) - Fraction(24000, 1001)) < slack
    assert float(found["format"]["duration"]) == pytest.approx(2.0, abs=0.12)
    assert abs(float(found["format"].get("start_time", 0))) < 0.2
    assert len(sound) == 1


def test_first_times_stay_apart_as_they_were(tmp_path: Path) -> None:
    clip = tmp_path / "late.mkv"
    late = ["-itsoffset", 0.48, "-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=1"]
    ffmpeg(*late, "-f", "lavfi", "-i", "sine=440:duration=1.5", *X264, "-pix_fmt", "yuv420p", "-c:a", "aac", clip)
    for suffix in (".mp4", ".mkv"):
        out = tmp_path / f"out{suffix}"
        rewrite(open_source(clip), out, kept)
        starts = {s["codec_type"]: float(s["start_time"]) for s in probe(out)["streams"]}
        assert starts["video"] - starts["audio"] == pytest.approx(0.48, abs=0.03)


@pytest.mark.parametrize("degrees", [90, 180, 270])
@pytest.mark.parametrize("stored", ["yuv420p", "yuv422p"])
def test_a_turned_video_is_shown_as_before(tmp_path: Path, degrees: int, stored: str) -> None:
    plain, clip, out = tmp_path / "plain.mp4", tmp_path / "clip.mp4", tmp_path / "out.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=0.3", *X264, "-pix_fmt", stored, plain)
    ffmpeg("-display_rotation", degrees, "-i", plain, "-c", "copy", clip)
    rewrite(open_source(clip), out, kept, encoding=Encoding())
    for old, new in zip(seen(clip), seen(out), strict=True):
        assert old.shape == new.shape
        # In grey: the reader repeats missing chroma along rows, so that of a turned picture differs at edges.
        assert psnr(old.mean(axis=2), new.mean(axis=2)) > 28
        assert psnr(old[..., 1], new[..., 1]) > 22
    assert "side_data_list" not in picture(out)


def test_interlaced_footage_stays_interlaced(tmp_path: Path) -> None:
    clip, out = tmp_path / "clip.mp4", tmp_path / "out.mp4"
    weave = ["-vf", "tinterlace=interleave_top,setfield=tff", "-flags", "+ildct+ilme", "-x264-params", "tff=1"]
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=50:duration=1", *weave, *X264, "-pix_fmt", "yuv420p", clip)
    rewrite(open_source(clip), out, kept)
    assert picture(out)["field_order"] == picture(clip)["field_order"] == "tt"


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_is_refused_with_the_remedy(tmp_path: Path, transfer: str) -> None:
    clip = tmp_path / "hdr.mp4"
    tags = ["-color_primaries", "bt2020", "-color_trc", transfer, "-colorspace", "bt2020nc"]
    source = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=0.2"]
    meant = ["-vf", f"setparams=color_primaries=bt2020:color_trc={transfer}:colorspace=bt2020nc"]
    ffmpeg(*source, *meant, *X264, "-pix_fmt", "yuv420p10le", *tags, clip)
    for name in ("out.mp4", "out"):
        with pytest.raises(EngineError, match="galloway video fix"):
            rewrite(open_source(clip), tmp_path / name, kept)
        assert not (tmp_path / name).exists()


def test_a_video_becomes_a_folder_of_pictures_and_again(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mkv"
    tone = ["-f", "lavfi", "-i", "sine=440:duration=0.4"]
    picture_ = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=24:duration=0.4"]
    ffmpeg(*picture_, *tone, "-c:v", "ffv1", "-pix_fmt", "gbrp", "-c:a", "flac", clip)
    folder = tmp_path / "frames"
    made = rewrite(open_source(clip), folder, swapped, metadata=METADATA, encoding=Encoding("png"))
    assert made.left_out == (
        "pictures keep no time: these are 24 a second",
        "sound (flac 1ch): none of it goes into pictures",
    )
    names = sorted(path.name for path in folder.iterdir())
    assert names[:2] == ["clip_000001.png", "clip_000002.png"]
    old = seen(clip)
    for number, name in enumerate(names):
        new = np.asarray(Image.open(folder / name).convert("RGB"))
        assert np.array_equal(new[90:], old[number][90:])
        assert np.array_equal(new, old[number]) == (number % 2 == 0)
    assert says_face_swap(folder)
    (folder / ".DS_Store").write_bytes(b"\0")
    assert says_face_swap(folder), "what a desktop leaves there is nobody's"
    (folder / "retouched").mkdir()
    assert not says_face_swap(folder)
    assert stranger(folder) == folder / "retouched"
    (folder / "retouched").rmdir()
    again = tmp_path / "again"
    assert rewrite(open_source(folder, rate=Fraction(24)), again, kept, encoding=Encoding("png")).frames == len(names)
    assert sorted(path.name for path in again.iterdir()) == names
    film = tmp_path / "film.mp4"
    rewrite(open_source(folder, rate=Fraction(24)), film, kept, encoding=Encoding())
    shown = picture(film)
    assert (shown["avg_frame_rate"], shown["pix_fmt"], shown["color_space"]) == ("24/1", "yuv420p", "bt709")
    assert psnr(np.asarray(Image.open(folder / names[0])), seen(film)[0]) > 28


def test_pictures_of_several_sizes_are_said_to_be_fitted_or_keep_theirs(tmp_path: Path) -> None:
    folder, film, stills = tmp_path / "frames", tmp_path / "film.mp4", tmp_path / "stills"
    folder.mkdir()
    sizes = [(160, 120), (160, 120), (120, 160), (320, 240), (160, 120)]
    for number, size in enumerate(sizes):
        Image.new("RGB", size, (40 * number, 90, 90)).save(folder / f"f{number}.png")
    (note,) = rewrite(open_source(folder), film, swapped).left_out
    assert note.startswith("the size of 2 of 5 pictures, fitted into the first one's 160x120 (--codec png")
    told = {item.what: item.same for item in compare(folder, film)}
    assert told == {"frames": True, "size of the first picture": True}
    made = rewrite(open_source(folder), stills, swapped, encoding=Encoding("png"))
    assert not any("size" in note for note in made.left_out)
    assert [load_picture(path).shape[1::-1] for path in sorted(stills.iterdir())] == sizes


def test_a_track_that_was_copied_is_said_to_be_the_same(tmp_path: Path) -> None:
    clip, out = tmp_path / "clip.ts", tmp_path / "out.mp4"
    tone = ["-f", "lavfi", "-i", "sine=440:duration=0.4", "-c:a", "mp2"]
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=0.4", *tone, *X264, "-bf", 0, clip)
    assert not any("sound" in note for note in rewrite(open_source(clip), out, kept).left_out)
    assert {item.what: item.same for item in compare(clip, out)}["sound"]


@pytest.mark.parametrize(
    ("codec", "crf", "preset", "output", "words"),
    [
        ("vp9", None, None, "x.mp4", "no codec 'vp9'"),
        ("prores", None, None, "x.mp4", r"Name the result \.mov or \.mkv"),
        ("h264", None, None, "x", "a folder of pictures"),
        (None, None, None, "x.avi", "not .avi"),
        ("ffv1", 12, None, "x.mkv", "has no CRF"),
        ("h264", 60, None, "x.mkv", "between 0"),
        ("h265", None, "quickly", "x.mkv", "no preset 'quickly'"),
    ],
)
def test_choices_that_do_not_fit_name_what_does(
    codec: str | None, crf: int | None, preset: str | None, output: str, words: str
) -> None:
    with pytest.raises(EngineError, match=words):
        chosen_encoding(codec, crf, preset, Path(output))


def test_pixel_formats_lose_nothing_where_the_codec_has_a_wider_one() -> None:
    assert pixel_format("h264", "yuv420p", 8) == "yuv420p"
    assert pixel_format("h264", "yuv420p12le", 12) == "yuv420p10le"
    assert pixel_format("h265", "yuv420p12le", 12) == "yuv420p12le"
    assert pixel_format("prores", "yuv420p", 8) == "yuv422p10le"
    assert pixel_format("h264", "yuv411p", 8) == "yuv422p"
    assert pixel_format("ffv1", "gbrp", 8) == "bgr0"
    assert pixel_format("h264", "gbrp", 8) == "yuv444p"
    assert pixel_format("prores", "yuva444p12le", 12) == pixel_format("prores", "gbrap", 8) == "yuva444p10le"
    assert pixel_format("h265", "yuva420p", 8) == "yuv420p", "x265 refuses what it names"


FIELDS = {"tff": ("1", "1"), "bff": ("1", "0")}


@pytest.mark.parametrize("first", sorted(FIELDS))
@pytest.mark.parametrize(("ending", "codec"), [("mp4", "h264"), ("mov", "prores"), ("mkv", "ffv1")])
@pytest.mark.parametrize("before", ["mp4", "mkv", "vob"])
def test_the_first_field_is_the_same_in_swapped_frames(
    before: str, ending: str, codec: str, first: str, tmp_path: Path
) -> None:
    clip, out = tmp_path / f"clip.{before}", tmp_path / f"out.{ending}"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=160x128:rate=50:duration=0.4"]
    weave = f"tinterlace=interleave_{'top' if first == 'tff' else 'bottom'},setfield={first}"
    kind = ["-c:v", "mpeg2video", "-q:v", 2] if before == "vob" else [*X264, "-x264-params", f"{first}=1"]
    ffmpeg(*picture, "-vf", weave, *kind, "-flags", "+ildct+ilme", "-pix_fmt", "yuv420p", clip)
    rewrite(open_source(clip), out, swapped, encoding=Encoding(codec))
    shown = ["-select_streams", "v:0", "-show_entries", "frame=interlaced_frame,top_field_first", "-of", "json"]
    run = subprocess.run(["ffprobe", "-v", "error", *shown, str(out)], capture_output=True, text=True, check=True)
    frames = [(str(one["interlaced_frame"]), str(one["top_field_first"])) for one in json.loads(run.stdout)["frames"]]
    assert frames == [FIELDS[first]] * 10
    assert all(item.same for item in compare(clip, out) if item.what == "fields")
