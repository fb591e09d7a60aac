"""Which faces to train on: what the clip needs, sharp ones first, near-copies last, the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from galloway.curation.faceset.picking.choose import lacking, pick
from galloway.curation.faceset.readiness.values import FacesetView
from galloway.pipeline.cli.main import cli
from numpy.typing import NDArray

from tests.support.engines import tree_digest, write_faces


def view(yaw: NDArray[np.float64], *, sharpness: NDArray[np.float64] | None = None) -> FacesetView:
    count = len(yaw)
    zeros = np.zeros(count)
    return FacesetView(
        source=("clip",) * count,
        frame=np.arange(count),
        yaw=yaw,
        pitch=zeros,
        mouth=zeros,
        eyes=zeros + 0.3,
        size=zeros + 128,
        sharpness=zeros if sharpness is None else sharpness,
        brightness=zeros + 0.5,
        light=zeros,
        twin=np.zeros(count, bool),
    )


FACES = view(np.repeat([-30.0, 0.0, 30.0], (4, 90, 6)), sharpness=np.arange(100.0))


def test_what_the_clip_needs_is_taken_first_and_the_sharpest_of_it() -> None:
    clip = view(np.repeat([30.0, 0.0], (80, 20)))
    picked = pick(FACES, 6, clip=clip)
    turned = [item for item in picked if item.cell.yaw == 30]
    assert len(turned) == 4
    assert [item.row for item in turned] == [99, 98, 97, 96]
    assert "80 of the clip's frames" in turned[0].reason


def test_without_a_clip_rare_poses_are_not_starved() -> None:
    picked = pick(FACES, 10)
    assert {item.cell.yaw for item in picked} == {-30, 0, 30}


def test_frames_without_a_face_are_served_by_the_nearest_ones() -> None:
    clip = view(np.repeat([75.0, 0.0], (80, 20)))
    picked = pick(FACES, 9, clip=clip)
    turned = [item for item in picked if item.cell.yaw == 30]
    assert len(turned) > sum(item.cell.yaw == 0 for item in picked)
    assert turned[0].reason.endswith("the clip has no such frame, 80 have none that is nearer")


def test_near_copies_come_last_and_strangers_and_unknown_poses_never() -> None:
    twin, stranger = np.zeros(100, bool), np.zeros(100, bool)
    twin[50:94] = True
    stranger[99] = True
    yaw = FACES.yaw.copy()
    yaw[98] = np.nan
    faces = replace(FACES, twin=twin, stranger=stranger, yaw=yaw)
    rows = [item.row for item in pick(faces, 100)]
    assert sorted(rows) == [row for row in range(100) if row not in (98, 99)]
    assert set(rows[-44:]) == set(range(50, 94))


def test_the_same_seed_picks_the_same_and_another_one_others() -> None:
    alike = view(np.zeros(50))
    first, again, other = ([item.row for item in pick(alike, 10, seed=seed)] for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_what_lacks_is_said_most_first() -> None:
    clip = view(np.repeat([60.0, -45.0, 0.0], (30, 5, 5)))
    found = lacking(FACES, clip)
    assert [(cell.yaw, frames) for cell, frames in found] == [(60, 30), (-45, 5)]


def test_the_command_copies_into_a_new_folder_and_changes_nothing(tmp_path: Path) -> None:
    write_faces(tmp_path / "b", 6)
    before = tree_digest(tmp_path / "b")
    command = ["faceset", "pick", str(tmp_path / "b"), "-n", "4", "--out", str(tmp_path / "best")]
    done = CliRunner().invoke(cli, command)
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "best").iterdir())) == 4
    assert tree_digest(tmp_path / "b") == before
    again = CliRunner().invoke(cli, command)
    assert "is there already" in str(again.exception)
