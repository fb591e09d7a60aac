"""The video doctor on a zoo of broken videos: found, explained, mended, and counted the same by every reader."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.engines.frames import open_source
from galloway.pipeline.errors import NothingToDo
from galloway.pipeline.video import VideoError, check_video, fix_command, fix_video, record_path
from galloway.pipeline.video.facts import sha256_of, snap
from galloway.pipeline.video.findings import Finding
from PIL import Image

from tests.support.videos import ZOO, count_cv2, count_ffprobe, count_pyav, ffmpeg, probe, sound_video

MENDABLE = sorted(set(ZOO) - {"missing_moov", "unreadable", "no_sound"})
HOPELESS = ("missing_moov", "unreadable")


def make(code: str, folder: Path) -> Path:
    ending, maker = ZOO[code]
    path = folder / f"{code}.{ending}"
    maker(path)
    return path


@pytest.mark.parametrize("code", sorted(ZOO))
def test_each_ailment_is_found_and_explained(code: str, tmp_path: Path) -> None:
    report = check_video(make(code, tmp_path))
    found = {finding.code: finding for finding in report.findings}
    assert code in found
    assert len(found[code].what) > 20 and len(found[code].why) > 20
    json.dumps(report.to_json())


@pytest.mark.parametrize("code", MENDABLE)
def test_a_mended_video_is_counted_the_same_by_every_reader(code: str, tmp_path: Path) -> None:
    before = check_video(make(code, tmp_path))
    assert not before.ok and before.fixable
    result = fix_video(before, tmp_path / "out" / "mended.mp4")
    assert result.after.ok, result.after.findings
    frames = count_pyav(result.output)
    assert frames == result.after.facts.frames
    assert count_ffprobe(result.output) in (frames, None)
    record = json.loads(result.record.read_text())
    assert record["before"]["sha256"] == sha256_of(before.path)
    assert record["after"]["sha256"] == sha256_of(result.output)
    assert record["after"]["frames"] == frames
    assert str(tmp_path) not in result.record.read_text()
    assert sorted(entry.name for entry in result.output.parent.iterdir()) == ["mended.mp4", "mended.mp4.fix.json"]


@pytest.mark.opencv
@pytest.mark.parametrize("code", MENDABLE)
def test_opencv_is_told_as_many_frames_of_a_mended_video_as_it_reads(code: str, tmp_path: Path) -> None:
    result = fix_video(check_video(make(code, tmp_path)), tmp_path / "mended.mp4")
    frames = count_pyav(result.output)
    assert count_cv2(result.output) == (frames, frames)


@pytest.mark.parametrize("code", sorted(set(MENDABLE) - {"variable_frame_rate", "edit_list"}))
def test_mending_loses_and_invents_no_frame(code: str, tmp_path: Path) -> None:
    before = check_video(make(code, tmp_path))
    result = fix_video(before, tmp_path / "mended.mp4")
    assert result.after.facts.frames == before.facts.frames


def test_a_variable_rate_becomes_constant_and_keeps_its_length(tmp_path: Path) -> None:
    before = check_video(make("variable_frame_rate", tmp_path))
    after = fix_video(before, tmp_path / "mended.mp4").after
    assert after.facts.rate == 30
    assert after.facts.off_grid < 0.01
    assert after.facts.duration == pytest.approx(before.facts.duration, abs=0.05)


def test_sound_stays_with_the_picture_when_a_late_start_is_mended(tmp_path: Path) -> None:
    before = check_video(make("late_start", tmp_path))
    assert before.facts.start == pytest.approx(0.852, abs=0.001)
    assert "71 frames instead of 50" in next(f.why for f in before.findings if f.code == "late_start")
    after = fix_video(before, tmp_path / "mended.mp4").after
    assert after.facts.start == 0 and after.facts.sound is not None
    assert after.facts.sound.duration == pytest.approx(2 - 0.852, abs=0.06)


@pytest.mark.parametrize("gap", [0.3, 0.7, 1.6, 2.6])
def test_the_copies_that_readers_put_in_front_are_counted(gap: float, tmp_path: Path) -> None:
    clip, late = sound_video(tmp_path / "clip.mp4"), tmp_path / "late.mp4"
    ffmpeg("-i", clip, "-itsoffset", gap / 25, "-i", clip, "-map", "1:v", "-map", "0:a", "-c", "copy", late)
    ffmpeg("-i", late, "-map", "0:v", "-f", "rawvideo", "-pix_fmt", "gray", "-s", "16x16", tmp_path / "frames")
    filled = (tmp_path / "frames").stat().st_size // 256
    told = [finding.why for finding in check_video(late).findings if finding.code == "late_start"]
    assert told == [] if filled == 50 else f"({filled} frames instead of 50)" in told[0]


def test_a_clock_that_starts_late_for_all_streams_is_no_late_start(tmp_path: Path) -> None:
    ffmpeg("-i", sound_video(tmp_path / "clip.mp4"), "-an", "-c", "copy", "-f", "mpegts", tmp_path / "clip.ts")
    report = check_video(tmp_path / "clip.ts")
    assert report.facts.start > 1 and report.ok


def test_a_rotated_video_is_turned_upright(tmp_path: Path) -> None:
    after = fix_video(check_video(make("rotated", tmp_path)), tmp_path / "mended.mp4").after
    assert (after.facts.width, after.facts.height, after.facts.rotation) == (120, 160, 0)


def test_hdr_becomes_ordinary_range(tmp_path: Path) -> None:
    after = fix_video(check_video(make("hdr", tmp_path)), tmp_path / "mended.mp4").after
    assert (after.facts.transfer, after.facts.pixel_format) == ("bt709", "yuv420p")


@pytest.mark.ffprobe
@pytest.mark.parametrize(
    ("name", "size", "coder"),
    [("clip.mov", "1280x720", ["-c:v", "png"]), ("odd.mov", "161x121", ["-c:v", "qtrle"]), ("few.gif", "160x120", [])],
)
def test_colours_of_rgb_stay_and_are_told(name: str, size: str, coder: list[str], tmp_path: Path) -> None:
    clip = tmp_path / name
    ffmpeg("-f", "lavfi", "-i", f"color=c=0x14dc3c:s={size}:r=25:d=0.4,format=rgb24", *coder, clip)
    made = fix_video(replace(check_video(clip), findings=ODD), tmp_path / "mended.mp4").output
    picture = probe(made)["streams"][0]
    told = [picture[f"color_{what}"] for what in ("range", "space", "primaries", "transfer")]
    assert told == ["tv", "bt709", "bt709", "bt709"]
    before, after = (next(open_source(path).read()).image[:120, :160].mean(axis=(0, 1)) for path in (clip, made))
    assert np.abs(before - after).max() <= 3, "on the whole: a GIF has few colours and mixes them"


ODD = (Finding("odd_codec", "harmful", "The picture is coded as png.", "It is rare."),)


def test_an_edit_list_is_obeyed_and_then_gone(tmp_path: Path) -> None:
    before = check_video(make("edit_list", tmp_path))
    assert before.facts.hidden > 0
    after = fix_video(before, tmp_path / "mended.mp4").after
    assert (after.facts.hidden, after.facts.packets) == (0, before.facts.packets - before.facts.hidden)


def test_a_joined_file_goes_on_with_its_sound(tmp_path: Path) -> None:
    before = check_video(make("clock_restarts", tmp_path))
    assert (before.facts.restarts, before.facts.frames, before.facts.rate) == ((26,), 50, 25)
    after = fix_video(before, tmp_path / "mended.mp4").after
    assert (after.facts.frames, after.facts.restarts) == (50, ())
    assert after.facts.sound is not None and after.facts.sound.duration == pytest.approx(2, abs=0.1)


def test_a_picture_that_changes_its_size_has_one_after_mending_and_is_refused_before(tmp_path: Path) -> None:
    before = check_video(make("size_changes", tmp_path))
    assert before.facts.sizes == ((160, 120), (120, 120))
    with pytest.raises(EngineError, match=r"is 120x120 from frame 26 on.*galloway video fix"):
        list(open_source(before.path).read())
    after = fix_video(before, tmp_path / "mended.mp4").after
    assert after.facts.sizes == ((160, 120),)
    frames = [frame.image for frame in open_source(tmp_path / "mended.mp4").read()]
    assert len(frames) == 50
    assert frames[-1][:, :18].max() < 40 < frames[-1][:, 22:138].max()


def test_an_empty_packet_says_that_the_frame_before_stays(tmp_path: Path) -> None:
    clip = tmp_path / "still.ogv"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5:duration=2,fps=25"]
    ffmpeg(*picture, "-c:v", "libtheora", "-q:v", 4, clip)
    report, counted = check_video(clip), count_ffprobe(clip)
    assert counted in (report.facts.frames, None) and report.facts.frames < 50
    assert report.facts.trouble == ()
    assert len(list(open_source(clip).read())) == report.facts.frames


def test_a_damaged_end_is_left_out(tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.vob", tmp_path / "cut.vob"
    ffmpeg("-i", sound_video(tmp_path / "clip.mp4"), "-c:v", "mpeg2video", "-q:v", 2, "-c:a", "mp2", whole)
    cut.write_bytes(whole.read_bytes()[:170_000])
    before = check_video(cut)
    assert before.facts.torn == 1 and before.facts.trouble == ("1 frame is damaged.",)
    assert fix_video(before, tmp_path / "mended.mp4").after.facts.frames == before.facts.frames - 1


@pytest.mark.parametrize(("codec", "name"), [("libsvtav1", "av1"), ("libvpx-vp9", "vp9")])
def test_a_codec_is_called_by_its_own_name_not_its_decoders(codec: str, name: str, tmp_path: Path) -> None:
    ffmpeg("-i", sound_video(tmp_path / "clip.mp4"), "-c:v", codec, "-c:a", "copy", tmp_path / f"{name}.mp4")
    report = check_video(tmp_path / f"{name}.mp4")
    assert report.facts.codec == name
    assert "odd_codec" not in {found.code for found in report.findings}


@pytest.mark.parametrize("code", HOPELESS)
def test_what_cannot_be_mended_says_so(code: str, tmp_path: Path) -> None:
    report = check_video(make(code, tmp_path))
    assert not report.ok and not report.fixable
    with pytest.raises(VideoError, match="again"):
        fix_command(report, tmp_path / "mended.mp4")


def test_a_healthy_video_has_nothing_to_do(tmp_path: Path) -> None:
    report = check_video(sound_video(tmp_path / "healthy.mp4"))
    assert report.ok and report.findings == ()
    with pytest.raises(NothingToDo):
        fix_video(report, tmp_path / "mended.mp4")


def test_missing_sound_is_only_a_note(tmp_path: Path) -> None:
    report = check_video(make("no_sound", tmp_path))
    assert [finding.code for finding in report.findings] == ["no_sound"] and report.ok


def test_further_tracks_and_pictures_are_told_apart_and_what_becomes_of_them(tmp_path: Path) -> None:
    one, cover, film = sound_video(tmp_path / "one.mp4"), tmp_path / "cover.png", tmp_path / "film.mp4"
    Image.new("RGB", (32, 32), (200, 30, 30)).save(cover)
    streams = ["-map", "0:v", "-map", "0:a", "-map", "0:a", "-map", "1:v", "-c", "copy", "-c:v:1", "png"]
    ffmpeg("-i", one, "-i", cover, *streams, "-disposition:v:1", "attached_pic", film)
    (found,) = check_video(film).findings
    assert found.code == "extra_streams" and found.severity == "note"
    assert found.what == "There is 1 more sound track and 1 more picture, such as a cover."
    assert "Converting keeps all sound tracks" in found.why


def test_mending_twice_runs_once(tmp_path: Path) -> None:
    report = check_video(make("odd_size", tmp_path))
    first = fix_video(report, tmp_path / "mended.mp4")
    stamp = first.output.stat().st_mtime_ns
    second = fix_video(report, tmp_path / "mended.mp4")
    assert second.output.stat().st_mtime_ns == stamp
    assert second.after.sha256 == first.after.sha256


def test_another_command_mends_again(tmp_path: Path) -> None:
    report = check_video(make("odd_size", tmp_path))
    first = fix_video(report, tmp_path / "mended.mp4")
    record = json.loads(first.record.read_text())
    first.record.write_text(json.dumps(record | {"command": [*record["command"][:-1], "-an", "mended.mp4"]}))
    stamp = first.output.stat().st_mtime_ns
    assert fix_video(report, tmp_path / "mended.mp4").output.stat().st_mtime_ns != stamp


def test_a_changed_result_is_made_again(tmp_path: Path) -> None:
    report = check_video(make("odd_size", tmp_path))
    first = fix_video(report, tmp_path / "mended.mp4")
    first.output.write_bytes(b"broken")
    assert fix_video(report, tmp_path / "mended.mp4").after.facts.frames == 50


@pytest.mark.parametrize("name", ["mended.mov", "odd_size.mp4"])
def test_the_source_is_never_written_over(name: str, tmp_path: Path) -> None:
    report = check_video(make("odd_size", tmp_path))
    with pytest.raises(VideoError, match="name another file"):
        fix_video(report, tmp_path / name)
    assert sha256_of(report.path) == report.sha256


def test_a_failing_ffmpeg_leaves_nothing(tmp_path: Path) -> None:
    report = check_video(make("odd_size", tmp_path))
    report.path.unlink()
    with pytest.raises(VideoError, match="could not mend"):
        fix_video(report, tmp_path / "out" / "mended.mp4")
    assert list((tmp_path / "out").iterdir()) == []
    assert not record_path(tmp_path / "out" / "mended.mp4").exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"nowhere\.mp4"):
        check_video(tmp_path / "nowhere.mp4")


def test_without_decoding_the_counts_are_the_same(tmp_path: Path) -> None:
    path = sound_video(tmp_path / "healthy.mp4")
    assert check_video(path, decode=False).facts.frames == check_video(path).facts.frames == 50


@pytest.mark.parametrize(
    ("measured", "snapped"),
    [
        (Fraction(2997, 100), Fraction(30000, 1001)),
        (Fraction(23976, 1000), Fraction(24000, 1001)),
        (Fraction(30), Fraction(30)),
        (Fraction(27), Fraction(27)),
    ],
)
def test_rates_snap_to_broadcast_rates(measured: Fraction, snapped: Fraction) -> None:
    assert snap(measured) == snapped


def test_a_packet_without_a_picture_to_show_is_no_frame(tmp_path: Path) -> None:
    clip = tmp_path / "clip.webm"
    source = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=24:duration=3"]
    ffmpeg(
        *source, "-c:v", "libvpx", "-b:v", "300k", "-auto-alt-ref", 1, "-lag-in-frames", 16, "-arnr-maxframes", 7, clip
    )
    assert count_ffprobe(clip) in (72, None)
    for decode in (True, False):
        facts = check_video(clip, decode=decode).facts
        assert (facts.frames, facts.packets, facts.rate) == (72, 72, 24)
        assert facts.off_grid < 0.1
    assert check_video(clip).ok


def test_an_avi_with_an_empty_place_is_whole_and_has_its_rate(tmp_path: Path) -> None:
    clip = tmp_path / "clip.avi"
    tone = ["-f", "lavfi", "-i", "sine=frequency=440:duration=2"]
    picture = ["-f", "lavfi", "-i", "testsrc2=size=160x120:rate=24000/1001:duration=2"]
    # ffmpeg leaves the second place empty, as the AVIs of many cameras have places without a picture.
    ffmpeg(*picture, *tone, "-c:v", "mpeg4", "-c:a", "libmp3lame", clip)
    report = check_video(clip)
    assert (report.facts.rate, report.facts.frames, report.facts.empty) == (Fraction(24000, 1001), 48, 1)
    assert [finding.code for finding in report.findings if finding.severity != "note"] == ["empty_places"]
    assert fix_video(report, tmp_path / "mended.mp4").after.facts.frames == 49


def test_a_transport_stream_whose_sound_begins_a_little_earlier_is_fine(tmp_path: Path) -> None:
    clip = tmp_path / "clip.ts"
    ffmpeg("-i", sound_video(tmp_path / "clip.mp4"), "-c", "copy", "-muxdelay", 0, "-output_ts_offset", 3600, clip)
    report = check_video(clip)
    assert report.facts.start > 3599 and report.facts.duration == pytest.approx(2.0, abs=0.05)
    assert report.ok, report.findings


def test_a_photograph_is_no_video(tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    Image.new("RGB", (64, 48)).save(photo)
    with pytest.raises(VideoError, match="galloway ingest --side b"):
        check_video(photo)


def test_a_gif_is_footage_and_every_picture_of_it_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "dance.gif"
    pictures = [Image.new("RGB", (64, 48), (20 * shade, 90, 200)) for shade in range(7)]
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=100)
    report = check_video(path)
    assert (report.facts.frames, report.facts.rate) == (7, Fraction(10))
    assert {finding.code for finding in report.findings if finding.severity == "harmful"} == {"odd_codec"}
    seen = [frame.image for frame in open_source(path).read()]
    assert [round(float(image[..., 0].mean())) for image in seen] == [20 * shade for shade in range(7)]
    assert fix_video(report, tmp_path / "dance.mp4").after.facts.frames == 7
