"""Is it enough, and does it cover the clip?"""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from galloway.curation.errors import FacesetError
from galloway.curation.faceset.png.headers import read_header, write_png
from galloway.curation.faceset.png.types import FaceAlignment, FaceHeader, FaceSource
from galloway.curation.faceset.readiness.assess import assess, cover
from galloway.curation.faceset.readiness.page import ReadinessPage
from galloway.curation.faceset.readiness.picture import readiness_svg
from galloway.curation.faceset.readiness.stretches import stretches
from galloway.curation.faceset.readiness.values import FacesetView, Thresholds, thresholds_from
from galloway.curation.faceset.readiness.view import frame_of, read_view, view_of
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.faceset import build_faceset
from tests.support.screen import head, picture


def _view(angles: list[tuple[float, float]], *, source: str = "clip", mouth: float = 0.0) -> FacesetView:
    landmarks = np.stack([head(yaw, pitch, mouth=mouth) for yaw, pitch in angles])
    return view_of(landmarks, [source] * len(angles), list(range(1, len(angles) + 1)), [150.0] * len(angles))


def _spread(count: int, yaw: float, pitch: float, seed: int = 0) -> list[tuple[float, float]]:
    rng = np.random.default_rng(seed)
    return [(yaw + rng.normal(0, 1), pitch + rng.normal(0, 1)) for _ in range(count)]


def _states(faces: FacesetView, clip: FacesetView) -> list[int]:
    return cover(faces, clip, Thresholds()).state.tolist()


def test_frames_are_covered_thin_or_missing() -> None:
    faces = _view([*_spread(25, 0, 0), *_spread(7, 25, 0, 1)])
    assert _states(faces, _view([(0, 0), (25, 0), (-30, 0)])) == [2, 1, 0]


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_more_faces_never_cover_less(seed: int) -> None:
    rng = np.random.default_rng(seed)
    angles = [(float(a), float(b)) for a, b in rng.normal(0, 12, (40, 2))]
    clip = _view([(float(a), float(b)) for a, b in rng.normal(0, 12, (10, 2))])
    few, many = cover(_view(angles[:20]), clip, Thresholds()), cover(_view(angles), clip, Thresholds())
    assert (many.near >= few.near).all()
    assert (many.state >= few.state).all()


def test_coverage_follows_source_and_frame() -> None:
    clip = view_of(np.stack([head()] * 3), ["b", "a", "a"], [1, 9, 2], [1.0] * 3)
    assert cover(_view([(0, 0)]), clip, Thresholds()).order.tolist() == [2, 1, 0]


def test_what_lacks_is_named_with_where_it_is_needed() -> None:
    found = assess(_view(_spread(30, 0, 0)), _view([(0, 0), (30, 0), (31, 1), (29, 0)]))
    top = found.demands[0]
    assert (top.yaw, top.pitch, top.frames, top.has, top.wants) == ((22.5, 37.5), (-7.5, 7.5), 3, 0, 20)
    assert top.first == ("clip", 2)
    assert str(top) == "turned to the right, level (yaw +29° to +31°, pitch +0° to +1°)"
    assert found.checks[0].name == "covers the clip" and found.checks[0].state == "poor"


def test_a_missing_expression_is_asked_for_where_the_pose_is_covered() -> None:
    found = assess(_view(_spread(40, 0, 0)), _view([(0, 0)] * 4, mouth=25))
    assert [demand.what for demand in found.demands] == ["mouth wide open"]


@pytest.mark.parametrize(
    ("looks", "lacks"),
    [
        ((0.5, 0.5), ["eyes to the right"]),
        ((-0.4, -0.5), ["eyes to the left"]),
        ((0.4, -0.3), ["eyes crossed"]),
        ((0.1, 0.0), []),
        ((np.nan, 0.0), []),
    ],
)
def test_a_gaze_that_side_b_never_has_is_asked_for(looks: tuple[float, float], lacks: list[str]) -> None:
    faces, clip = _view(_spread(40, 0, 0)), _view([(0, 0)] * 4)
    faces = replace(faces, gaze=np.zeros((40, 2)), eyes=np.full(40, 0.3))
    clip = replace(clip, gaze=np.tile(looks, (4, 1)), eyes=np.full(4, 0.3))
    assert [demand.what for demand in assess(faces, clip).demands] == lacks
    shut = replace(clip, eyes=np.full(4, 0.1))
    assert [demand.what for demand in assess(faces, shut).demands] == ["eyes closed"]
    assert assess(replace(faces, gaze=None), clip).demands == (), "what was not looked at is not asked for"


def test_where_the_swap_will_fail_is_foreseen_in_frames() -> None:
    turns = [(0.0, 0.0)] * 10 + [(40.0, 0.0)] * 8 + [(0.0, 0.0)] * 3 + [(42.0, 2.0)] * 6 + [(0.0, 0.0)] * 20
    clip = _view([*turns, (50.0, 0.0)])
    faces = _view(_spread(30, 0, 0))
    found = assess(faces, clip)
    assert found.coverage is not None
    (stretch,) = stretches(clip, found.coverage)
    assert (stretch.source, stretch.first, stretch.last, stretch.missing) == ("clip", 11, 27, 14), "one frame is none"
    assert str(stretch).startswith("clip frames 11-27 (yaw +4")
    page = ReadinessPage("Readiness", found, faces, clip, "", "")
    assert "galloway convert --source clip --skip 11-27" in page.to_text()
    assert "galloway convert --source clip --skip 11-27" in page.to_html()
    assert page.as_dict()["likely to fail"][0]["first"] == 11


def test_nobody_is_told_to_leave_most_of_the_clip_out() -> None:
    clip, faces = _view([(40.0, 0.0)] * 8 + [(0.0, 0.0)] * 7), _view(_spread(30, 0, 0))
    page = ReadinessPage("Readiness", assess(faces, clip), faces, clip, "", "")
    for told in (page.to_text(), page.to_html()):
        assert "clip frames 1-8" in told and "would leave little of the swap" in told
        assert "--skip" not in told


def test_photographs_have_no_stretches() -> None:
    clip = replace(_view([(50.0, 0.0)] * 9), frame=np.full(9, -1))
    assert stretches(clip, cover(_view(_spread(30, 0, 0)), clip, Thresholds())) == []


def test_full_coverage_asks_for_nothing() -> None:
    faces = _view(_spread(60, 0, 0))
    found = assess(faces, _view([(0, 0), (1, 1)]))
    assert found.coverage is not None and found.coverage.share("covered") == 1
    assert found.demands == ()


def test_too_few_faces_of_one_source_are_poor() -> None:
    found = assess(_view(_spread(10, 0, 0)))
    states = {check.name: check.state for check in found.checks}
    assert found.state == "poor"
    assert states["enough faces"] == states["several sources"] == states["varied pose"] == "poor"
    assert states["one person"] == "unknown"


def test_thresholds_can_be_set() -> None:
    limits = thresholds_from(["faces_least=5", "faces_good=8", "near=20"])
    states = {check.name: check.state for check in assess(_view(_spread(10, 0, 0)), thresholds=limits).checks}
    assert states["enough faces"] == "good"
    assert limits.near == 20.0


@pytest.mark.parametrize("pair", ["nonsense=1", "near=far", "near=-1", "near"])
def test_a_wrong_threshold_is_named(pair: str) -> None:
    with pytest.raises(FacesetError, match=pair.split("=")[0]):
        thresholds_from([pair])


def _write(folder: Path, name: str, frame: str, angles: tuple[float, float], seed: int) -> None:
    face = FaceAlignment(10, 20, 120, 140, head(*angles))
    source = FaceSource(name, 0, frame, frame.endswith(".mp4"), (720, 1280))
    write_png(folder / name, Image.fromarray(picture(seed, size=64)), FaceHeader(face, source))


def test_a_folder_is_read_with_its_headers(tmp_path: Path) -> None:
    for number in range(1, 6):
        _write(tmp_path, f"my_clip_{number:06d}_0.png", f"my_clip_{number:06d}.mp4", (10.0 * number, 0), number)
    view = read_view(tmp_path)
    assert set(view.source) == {"my_clip"}
    assert view.frame.tolist() == [1, 2, 3, 4, 5]
    assert view.yaw == pytest.approx([10, 20, 30, 40, 50], abs=2)
    assert view.size.tolist() == [120] * 5
    assert np.isfinite(view.sharpness).all()
    assert np.isnan(read_view(tmp_path, pixels=False).sharpness).all()


def test_near_copies_are_counted(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        _write(tmp_path, f"c_{number:06d}_0.png", f"c_{number:06d}.mp4", (0, 0), seed=1)
    assert read_view(tmp_path).twin.sum() == 2


def test_photographs_are_one_source(tmp_path: Path) -> None:
    _write(tmp_path, "holiday_0.png", "holiday.jpg", (0, 0), 1)
    view = read_view(tmp_path)
    assert (view.source, view.frame.tolist()) == (("photographs",), [-1])


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FacesetError, match="galloway extract"):
        read_view(tmp_path)


def test_the_frame_is_read_from_the_right(tmp_path: Path) -> None:
    face = FaceAlignment(0, 0, 1, 1, head())
    header = FaceHeader(face, FaceSource("x.png", 0, "take_2_000031.mp4", True, (1, 1)))
    assert frame_of(header) == ("take_2", 31)


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.images: list[dict[str, str | None]] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "img":
            self.images.append(dict(attrs))


def _page(title: str = "Readiness") -> ReadinessPage:
    faces, clip = _view(_spread(30, 0, 0)), _view([(0, 0), (30, 5), (31, 6)])
    found = assess(faces, clip)
    return ReadinessPage(
        title, found, faces, clip, *[readiness_svg(faces, clip, found, narrow=n) for n in (False, True)]
    )


def test_the_page_needs_no_other_file_and_escapes() -> None:
    html = _page("<script>alert(1)</script>").to_html()
    seen = _Texts()
    seen.feed(html)
    assert "script" not in seen.tags
    assert all((image["src"] or "").startswith("data:image/svg+xml;base64,") and image["alt"] for image in seen.images)
    assert "http" not in html


def test_json_and_text_say_the_same() -> None:
    page = _page()
    data = json.loads(page.to_json())
    assert data["coverage"] == {"missing": 0.6667, "thin": 0.0, "covered": 0.3333}
    assert [row["state"] for row in data["frames"]] == ["covered", "missing", "missing"]
    assert data["collect"][0]["text"] in page.to_text()


def test_pictures_are_drawn_without_a_clip_too() -> None:
    faces = _view(_spread(30, 0, 0))
    drawn = ElementTree.fromstring(readiness_svg(faces, None, assess(faces)))
    assert "30" in {node.text for node in drawn.iter()}, "the cell in the middle has all the faces"


def test_a_long_clip_and_unknown_poses_are_drawn() -> None:
    faces = _view(_spread(30, 0, 0))
    clip = view_of(
        np.stack([head(0.1 * n % 40) if n % 7 else np.full((68, 2), np.nan, dtype=np.float32) for n in range(600)]),
        ["long"] * 600,
        list(range(600)),
        [90.0] * 600,
    )
    found = assess(faces, clip)
    assert found.coverage is not None
    assert found.coverage.state[0] == 0
    picture = readiness_svg(faces, clip, found)
    assert "nan" not in picture
    ElementTree.fromstring(picture)


def test_a_clip_of_hours_is_still_a_small_picture() -> None:
    faces = _view(_spread(30, 0, 0))
    rng = np.random.default_rng(1)
    turned = np.stack([head(float(yaw), float(pitch)) for yaw, pitch in rng.uniform(-30, 30, (300, 2))])
    clip = view_of(np.tile(turned, (100, 1, 1)), ["long"] * 30_000, list(range(30_000)), [90.0] * 30_000)
    assert len(readiness_svg(faces, clip, assess(faces, clip))) < 300_000


def test_crops_that_faceswap_refuses_are_said(tmp_path: Path) -> None:
    built = build_faceset(tmp_path, {"clip": {1: 1, 2: 1, 3: 1}})
    (good,) = [item for item in assess(read_view(built.faces)).checks if item.name == "crops of one size"]
    assert (good.state, good.advice) == ("good", "")
    path = built.faces / "clip_000002_0.png"
    write_png(path, Image.new("RGB", (8, 12)), read_header(path))
    (bad,) = [item for item in assess(read_view(built.faces)).checks if item.name == "crops of one size"]
    assert (bad.state, "clip_000002_0.png" in bad.found, "not square" in bad.found) == ("fair", True, True)
