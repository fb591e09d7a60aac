"""The numbers of frames: places in a folder, and what is in the name of a video's frame."""

from __future__ import annotations

from pathlib import Path

from galloway.pipeline.video.numbers import numbers_of

from tests.support.faceset import picture


def test_a_folder_counts_by_place_whatever_its_names_say(tmp_path: Path) -> None:
    for name in ("shot_000103.png", "shot_000101.png", "shot_000102.png", "cover.png"):
        picture(1).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("")
    names = {"shot_000101.png", "shot_000103.png", "gone.png"}
    assert list(numbers_of(names, tmp_path).items()) == [("shot_000101.png", 2), ("shot_000103.png", 4)]


def test_a_videos_frames_have_their_numbers_in_their_names() -> None:
    names = ["my.clip_1000000.mp4", "my.clip_000002.mp4", "my.clip_02.mp4", "other_000001.mp4", "my.clip_x000001.mp4"]
    found = numbers_of(names, Path("sources/my.clip.mp4"))
    assert list(found.items()) == [("my.clip_000002.mp4", 2), ("my.clip_1000000.mp4", 1_000_000)]
