"""`galloway video` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from galloway.pipeline.cli.video import video
from galloway.pipeline.errors import NothingToDo

from tests.support.videos import ZOO, sound_video


def test_check_names_the_ailment_and_the_next_command(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    ZOO["late_start"][1](path)
    result = CliRunner().invoke(video, ["check", str(path)])
    assert result.exit_code == 1
    assert "late_start" in result.output and f"galloway video fix {path}" in result.output


def test_check_of_a_healthy_video_is_0_and_json(tmp_path: Path) -> None:
    result = CliRunner().invoke(video, ["check", "--json", str(sound_video(tmp_path / "clip.mp4"))])
    assert result.exit_code == 0
    assert json.loads(result.stdout)[0]["frames"] == 50


def test_fix_prints_the_command_that_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    ZOO["odd_size"][1](path)
    dry = CliRunner().invoke(video, ["fix", "-n", str(path)])
    assert dry.exit_code == 0 and not (tmp_path / "clip_fixed.mp4").exists()
    real = CliRunner().invoke(video, ["fix", str(path)])
    assert real.exit_code == 0 and dry.stdout.strip() in real.stderr
    assert "mended odd_size" in real.stdout and (tmp_path / "clip_fixed.mp4").is_file()


def test_what_is_mended_of_a_workspaces_own_footage_goes_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "swap" / "sources" / "a"
    folder.mkdir(parents=True)
    (tmp_path / "swap" / "galloway.toml").touch()
    ZOO["odd_size"][1](folder / "clip.mp4")
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(video, ["check", str(folder / "clip.mp4")]).output
    assert told.strip().endswith("-o clip_fixed.mp4")
    assert CliRunner().invoke(video, ["fix", str(folder / "clip.mp4")]).exit_code == 0
    assert (tmp_path / "clip_fixed.mp4").is_file()
    assert [path.name for path in folder.iterdir()] == ["clip.mp4"]


def test_fix_prints_json(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    ZOO["odd_size"][1](path)
    result = CliRunner().invoke(video, ["fix", "--json", str(path), "-o", str(tmp_path / "x.mp4")])
    values = json.loads(result.stdout)
    assert values["before"]["frames"] == values["after"]["frames"] == 50


def test_fix_of_a_healthy_video_has_nothing_to_do(tmp_path: Path) -> None:
    result = CliRunner().invoke(video, ["fix", str(sound_video(tmp_path / "clip.mp4"))])
    assert isinstance(result.exception, NothingToDo)
