"""What a film holds beside its picture: carried over, or named as left out. The system's ffprobe judges."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from galloway.pipeline.engines.compare import _second, compare
from galloway.pipeline.engines.disclosure import METADATA
from galloway.pipeline.engines.encodings import Encoding
from galloway.pipeline.engines.film import rewrite
from galloway.pipeline.engines.frames import Frame, open_source
from galloway.pipeline.video.mend import check_video, fix_command
from PIL import Image

from tests.support.engines import a_picture, write_clip
from tests.support.videos import X264, ffmpeg, probe

pytestmark = pytest.mark.ffprobe


def kept(_frame: Frame) -> None:
    """Nothing is swapped."""


def test_mp3_is_copied_into_mp4(tmp_path: Path) -> None:
    clip = tmp_path / "clip.avi"
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=2"]
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2"]
    ffmpeg(*inputs, *tone, "-c:v", "mjpeg", "-c:a", "libmp3lame", clip)
    out = tmp_path / "out.mp4"
    assert rewrite(open_source(clip), out, kept).left_out == ()
    assert [stream["codec_name"] for stream in probe(out)["streams"]] == ["h264", "mp3"]

    def packets(path: Path) -> list[str]:
        shown = ["-select_streams", "a", "-show_packets", "-show_data_hash", "md5", "-show_entries", "packet=data_hash"]
        command = ["ffprobe", "-v", "error", *shown, "-of", "csv=p=0", str(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()

    assert packets(out) == packets(clip)


def rich(path: Path, *more: object) -> Path:
    """Two sound tracks with languages, subtitles, chapters, a title, a time of creation and a timecode."""
    subtitles, chapters = path.with_name("s.srt"), path.with_name("c.txt")
    subtitles.write_text("1\n00:00:00,200 --> 00:00:01,500\nHello\n", encoding="utf-8")
    chapters.write_text(
        ";FFMETADATA1\ntitle=The film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=900\ntitle=One\n"
        "[CHAPTER]\nTIMEBASE=1/1000\nSTART=900\nEND=2000\ntitle=Two\n",
        encoding="utf-8",
    )
    inputs = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=2"]
    tones = ["-f", "lavfi", "-i", "sine=440:duration=2", "-f", "lavfi", "-i", "anoisesrc=d=2:a=0.1"]
    maps = ["-map", 0, "-map", 1, "-map", 2, "-map", 3, "-map_metadata", 4, "-map_chapters", 4]
    tags = ["-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fra", "-metadata:s:s:0", "language=deu"]
    tags += ["-metadata", "creation_time=2024-05-03T10:11:12Z", "-timecode", "01:02:03:04", "-ac:a:1", 6]
    ffmpeg(*inputs, *tones, "-i", subtitles, "-i", chapters, *maps, *tags, *X264, "-pix_fmt", "yuv420p", *more, path)
    return path


def test_all_tracks_chapters_and_titles_are_carried_over(tmp_path: Path) -> None:
    clip = rich(tmp_path / "clip.mp4", "-c:a", "aac", "-c:s", "mov_text")
    out = tmp_path / "out.mp4"
    made = rewrite(open_source(clip), out, kept, metadata={**METADATA, "title": "Face swap"})
    assert made.left_out == ()
    found = probe(out)
    kinds = [
        (s["codec_type"], s.get("tags", {}).get("language")) for s in found["streams"] if s["codec_type"] != "data"
    ]
    assert kinds == [("video", "und"), ("audio", "eng"), ("audio", "fra"), ("subtitle", "deu")]
    assert [s["channels"] for s in found["streams"] if s["codec_type"] == "audio"] == [1, 6]
    assert [chapter["tags"]["title"] for chapter in found["chapters"]] == ["One", "Two"]
    tags = found["format"]["tags"]
    assert (tags["title"], tags["creation_time"][:19]) == ("The film (face swap)", "2024-05-03T10:11:12")
    assert tags["comment"] == METADATA["comment"]
    assert any(s.get("tags", {}).get("timecode") == "01:02:03:04" for s in found["streams"])


def test_what_a_container_cannot_hold_is_named(tmp_path: Path) -> None:
    clip = rich(tmp_path / "clip.mkv", "-c:a", "flac", "-c:s", "srt")
    made = rewrite(open_source(clip), tmp_path / "out.mp4", kept)
    assert made.left_out == (
        "sound stream 1 (eng, flac) does not go into .mp4 and became AAC",
        "sound stream 2 (fra, flac) does not go into .mp4 and became AAC",
        "subtitle stream 3 (deu, subrip) does not go into .mp4",
    )
    again = rewrite(open_source(clip), tmp_path / "out.mkv", kept)
    assert again.left_out == ()
    assert [s["codec_name"] for s in probe(tmp_path / "out.mkv")["streams"]] == ["h264", "flac", "flac", "subrip"]


def test_a_second_film_and_a_cover_are_named_as_left_out(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", [a_picture(64, 48, seed) for seed in range(3)])
    Image.fromarray(a_picture(16, 16)).save(tmp_path / "cover.png")
    both = tmp_path / "both.mp4"
    inputs = ["-i", clip, "-i", clip, "-i", tmp_path / "cover.png"]
    streams = ["-map", "0:v", "-map", "1:v", "-map", "2:v", "-c", "copy", "-disposition:v:2", "attached_pic"]
    ffmpeg(*inputs, *streams, both)
    made = rewrite(open_source(both), tmp_path / "result.mp4", lambda frame: None)
    assert made.frames == 3
    assert [note.partition(": ")[2] for note in made.left_out] == ["a result has one film", "a result has one film"]


@pytest.mark.parametrize("given", ["deu", "ger", "nld", "zho", "swe", "fre", "ces", "eng"])
def test_a_language_is_kept_in_quicktime_whichever_code_it_has(tmp_path: Path, given: str) -> None:
    clip, out = tmp_path / "clip.mkv", tmp_path / "out.mov"
    tone = ["-f", "lavfi", "-i", "sine=440:duration=1", "-metadata:s:a:0", f"language={given}"]
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=1", *tone, *X264, "-c:a", "aac", clip)
    rewrite(open_source(clip), out, kept, encoding=Encoding())
    assert next(item for item in compare(clip, out) if item.what == "sound").same
    (sound,) = (stream for stream in probe(out)["streams"] if stream["codec_type"] == "audio")
    assert sound["tags"]["language"] in {given, "ger", "dut", "chi", "sve", "fra"}


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("before", ["mov", "mkv"])
def test_title_time_and_timecode_are_kept_and_compared(tmp_path: Path, before: str, ending: str) -> None:
    clip = rich(tmp_path / f"clip.{before}", "-c:a", "aac", "-c:s", "mov_text" if before == "mov" else "srt")
    out = tmp_path / f"out.{ending}"
    rewrite(open_source(clip), out, kept, metadata={**METADATA, "title": "Face swap"}, encoding=Encoding())
    found = {item.what: item for item in compare(clip, out)}
    told = {"title": "The film", "creation time": "2024-05-03 10:11:12", "timecode": "01:02:03:04"}
    assert {what: (found[what].before, found[what].after) for what in told} == {k: (v, v) for k, v in told.items()}
    shown = json.dumps([probe(out)["format"], *probe(out)["streams"]])
    assert "01:02:03:04" in shown and "2024-05-03T10:11:12" in shown
    plain = write_clip(tmp_path / "plain.mp4", [a_picture(64, 48, seed) for seed in range(3)])
    assert not set(told) & {item.what for item in compare(plain, out)}
    lost = {item.what: (item.before, item.after) for item in compare(clip, plain) if item.what in told}
    assert lost == {what: (text, "none") for what, text in told.items()}


def test_pictures_say_what_does_not_go_into_them(tmp_path: Path) -> None:
    clip = rich(tmp_path / "clip.mp4", "-c:a", "aac", "-c:s", "mov_text")
    made = rewrite(open_source(clip), tmp_path / "frames", kept)
    assert made.left_out[0] == "pictures keep no time: these are 25 a second"
    assert made.left_out[1:] == (
        (
            "sound (aac 1ch eng, aac 6ch fra), subtitles (mov_text deu), chapters (2), title (The film), "
            "creation time (2024-05-03 10:11:12), timecode (01:02:03:04): none of it goes into pictures"
        ),
    )


def test_the_doctor_compares_a_result_with_its_source(tmp_path: Path) -> None:
    clip = rich(tmp_path / "clip.mkv", "-c:a", "flac", "-c:s", "srt")
    rewrite(open_source(clip), tmp_path / "out.mp4", kept, encoding=Encoding())
    found = {item.what: item for item in compare(clip, tmp_path / "out.mp4")}
    other = {what: (item.before, item.after) for what, item in found.items() if not item.same}
    assert other == {
        "sound": ("flac 1ch eng, flac 6ch fra", "aac 1ch eng, aac 6ch fra"),
        "subtitles": ("subrip deu", "none"),
    }
    assert (found["frames"].after, found["rate"].after, found["chapters"].after) == ("50", "25.000 a second", "2")
    rewrite(open_source(clip), tmp_path / "frames", kept)
    assert all(item.same for item in compare(clip, tmp_path / "frames"))


def test_sound_of_an_unknown_codec_is_named_and_does_no_harm(tmp_path: Path) -> None:
    clip = tmp_path / "clip.avi"
    tone = ["-f", "lavfi", "-i", "sine=440:duration=1"]
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=25:duration=1", *tone, "-c:v", "mjpeg", "-c:a", "ac3", clip)
    data = clip.read_bytes()
    at = data.index(b"auds")
    head = data.index(b"strf", at) + 8
    clip.write_bytes(data[:head] + b"\x99\x99" + data[head + 2 :])
    made = rewrite(open_source(clip), tmp_path / "out.mp4", kept)
    assert (made.frames, made.has_sound) == (25, False)
    assert [line.split(" (")[0] for line in made.left_out] == ["sound stream 1"]


def test_a_time_that_a_film_says_twice_is_one_time() -> None:
    once = "2024-05-03T10:11:12.000000Z"
    assert _second(once) == _second(f"{once};{once}") == "2024-05-03 10:11:12"
    two = f"{once};2025-01-01T00:00:00.000000Z"
    assert _second(two) == two, "two times are said as they are"


def test_of_two_films_the_one_that_players_show_is_taken(tmp_path: Path) -> None:
    films = [["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=25:duration=0.2"] for size in ("96x64", "160x120")]
    both = [*films[0], *films[1], "-map", 0, "-map", 1, *X264, "-pix_fmt", "yuv420p"]
    marked, plain = tmp_path / "marked.mkv", tmp_path / "plain.mkv"
    ffmpeg(*both, "-disposition:v:0", "default", "-disposition:v:1", 0, marked)
    ffmpeg(*both, "-disposition:v:0", 0, "-disposition:v:1", 0, plain)
    for clip, size in ((marked, (96, 64)), (plain, (160, 120))):
        source, report = open_source(clip), check_video(clip)
        assert (source.width, source.height) == size == (report.facts.width, report.facts.height)
        out = tmp_path / f"{clip.stem}.mp4"
        rewrite(source, out, kept)
        assert [(film["width"], film["height"]) for film in probe(out)["streams"]] == [size]
        command = fix_command(report, tmp_path / "mended.mp4")
        assert command[command.index("-map") + 1] == f"0:{report.facts.stream}"


def test_transparency_and_depth_that_a_result_does_not_hold_are_named(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mov"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=0.2"]
    ffmpeg(*picture, "-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le", clip)
    opaque = "transparency: what shone through is opaque"
    source = open_source(clip)
    assert opaque in rewrite(source, tmp_path / "out.mp4", kept).left_out
    assert opaque not in rewrite(source, tmp_path / "stills", kept).left_out
    for name, format_, told in (
        ("clear", "rgba", [opaque]),
        ("deep", "rgb48be", ["16 bits a sample became 8"]),
        ("plain", "rgb24", []),
    ):
        folder = tmp_path / name
        folder.mkdir()
        thin = ["-vf", "format=rgba,colorchannelmixer=aa=0.5"] if name == "clear" else []
        ffmpeg(*picture, *thin, "-pix_fmt", format_, folder / "f_%03d.png")
        for out in (tmp_path / f"{name}-out", tmp_path / f"{name}.mkv"):
            made = rewrite(open_source(folder), out, kept, encoding=Encoding("ffv1" if out.suffix else "png"))
            assert [note for note in made.left_out if "time" not in note] == told
