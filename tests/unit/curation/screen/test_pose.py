"""Pose and expression from landmarks."""

from __future__ import annotations

import numpy as np
import pytest
from galloway.curation.screen.pose import expressions, poses
from hypothesis import given
from hypothesis import strategies as st

from tests.support.screen import head, turned

ANGLES = st.tuples(
    st.floats(-40, 40, allow_nan=False), st.floats(-30, 30, allow_nan=False), st.floats(-25, 25, allow_nan=False)
)


@given(ANGLES, st.floats(0.2, 5))
def test_a_turned_head_is_measured_within_a_degree(angles: tuple[float, float, float], scale: float) -> None:
    yaw, pitch, roll = angles
    found = poses(head(yaw, pitch, roll, scale=scale)[None])
    looks = _direction(yaw, pitch, roll)
    assert found.yaw[0] == pytest.approx(looks[0], abs=1.0)
    assert found.pitch[0] == pytest.approx(looks[1], abs=1.0)


def _direction(yaw: float, pitch: float, roll: float = 0) -> tuple[float, float]:
    """Yaw and pitch of where the nose of a head points that was turned, tilted and rolled."""
    x, y, z = turned(yaw, pitch, roll)[:, 2]
    return float(np.degrees(np.arctan2(x, z))), float(np.degrees(np.arcsin(-y)))


def test_signs_are_as_documented() -> None:
    found = poses(np.stack([head(yaw=20), head(pitch=20), head(roll=20)]))
    assert found.yaw[0] == pytest.approx(20, abs=1)
    assert found.pitch[1] == pytest.approx(20, abs=1)
    assert found.roll[2] == pytest.approx(20, abs=1)
    assert np.abs([found.yaw[1], found.yaw[2], found.pitch[0], found.roll[0]]).max() < 1


@given(st.floats(0.1, 20), st.floats(-500, 500))
def test_scale_and_place_do_not_matter(scale: float, shift: float) -> None:
    face = head(15, 10, 5)
    one, other = poses(face[None]), poses((face * scale + shift)[None].astype(np.float32))
    assert one.yaw[0] == pytest.approx(other.yaw[0], abs=0.2)
    assert one.misfit[0] == pytest.approx(other.misfit[0], abs=0.01)


def test_scattered_points_fit_badly() -> None:
    noise = np.random.default_rng(3).random((1, 68, 2)).astype(np.float32) * 100
    assert poses(noise).misfit[0] > 3 * poses(head()[None]).misfit[0]


def test_an_open_mouth_is_seen_whatever_the_roll() -> None:
    found = expressions(np.stack([head(), head(mouth=20), head(mouth=20, roll=30)]))
    assert found.mouth_open[0] < 0.1 < 0.3 < found.mouth_open[1]
    assert found.mouth_open[1] == pytest.approx(found.mouth_open[2], abs=1e-3)


def test_a_camera_close_by_changes_little() -> None:
    """The method assumes a head far away; half a metre (500 mm) from the lens it is a few degrees off, no more."""
    for yaw, pitch in ((0, 0), (25, 0), (-15, 12), (10, -18)):
        looks = _direction(yaw, pitch)
        found = poses(head(yaw, pitch, distance=500.0)[None])
        assert found.yaw[0] == pytest.approx(looks[0], abs=5)
        assert found.pitch[0] == pytest.approx(looks[1], abs=5)
