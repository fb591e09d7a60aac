"""Crops from disk, the embedding cache, and going on after an interruption."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from galloway.curation.errors import FormatError
from galloway.curation.screen.cache import EmbeddingCache, forget
from galloway.curation.screen.crops import Crop, observe_crops, read_pixels
from galloway.curation.screen.embed import DlibEmbedder, Embedded
from galloway.curation.screen.sheet import bands_of, contact_sheet
from galloway.curation.types import FaceId
from PIL import Image
from skimage.data import astronaut

from tests.support.screen import embedded, head, people, picture


class Counting:
    """An embedder that counts, and is interrupted after `limit` faces."""

    def __init__(self, limit: int = 10**9) -> None:
        self.calls = 0
        self._limit = limit

    def __call__(self, pixels: np.ndarray) -> Embedded:
        if self.calls >= self._limit:
            raise KeyboardInterrupt
        self.calls += 1
        return embedded(people(1, int(pixels.sum()))[0])


def _crops(folder: Path, count: int) -> list[Crop]:
    crops = []
    for number in range(count):
        path = folder / f"clip_{number:06d}_0.png"
        Image.fromarray(picture(number, size=64)).save(path)
        crops.append(Crop(FaceId(f"{number:032x}"), path, "clip", number))
    return crops


def test_a_second_run_computes_nothing(tmp_path: Path) -> None:
    crops, embedder = _crops(tmp_path, 5), Counting()
    with EmbeddingCache(tmp_path / "cache.sqlite", "m") as cache:
        first = observe_crops(crops, cache=cache, embedder=embedder)
        second = observe_crops(crops, cache=cache, embedder=embedder)
    assert embedder.calls == 5
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one.vector, other.vector)
        assert one.measures == other.measures


def _film(folder: Path, count: int) -> list[Crop]:
    """A face that changes every four frames, ten frames apart from the next film's."""
    crops = []
    for number in range(count):
        path = folder / f"film_{number:06d}_0.png"
        Image.fromarray(picture(number // 4, size=64)).save(path)
        noisy = np.asarray(Image.open(path)).copy()
        noisy[0, 0] = number
        Image.fromarray(noisy).save(path)
        points = np.tile(np.linspace(10, 50, 68, dtype=np.float32)[:, None], 2) + number
        crops.append(Crop(FaceId(f"{number:032x}"), path, "film", number, landmarks=points))
    return crops


def test_one_of_a_films_near_copies_is_embedded_and_an_interrupted_run_does_the_same(tmp_path: Path) -> None:
    crops, whole = _film(tmp_path, 64), Counting()
    undisturbed = observe_crops(crops, embedder=whole)
    assert whole.calls <= 16
    assert np.array_equal(undisturbed[0].vector, Counting()(read_pixels(crops[0].path)).vector)
    assert np.array_equal(undisturbed[3].vector, undisturbed[0].vector)
    with EmbeddingCache(tmp_path / "cache.sqlite", "m") as cache, pytest.raises(KeyboardInterrupt):
        observe_crops(crops, cache=cache, embedder=Counting(limit=9))
    again = Counting()
    with EmbeddingCache(tmp_path / "cache.sqlite", "m") as cache:
        resumed = observe_crops(crops, cache=cache, embedder=again)
    assert again.calls < whole.calls
    for one, other in zip(undisturbed, resumed, strict=True):
        assert np.array_equal(one.vector, other.vector)


def test_what_is_far_away_in_time_or_place_is_no_copy(tmp_path: Path) -> None:
    crops = _film(tmp_path, 2)
    landmarks = crops[1].landmarks
    assert landmarks is not None
    for changed in (
        replace(crops[1], frame=40),
        replace(crops[1], landmarks=landmarks + 300),
        replace(crops[1], source="x"),
    ):
        embedder = Counting()
        observe_crops([crops[0], changed], embedder=embedder)
        assert embedder.calls == 2


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    crops = _crops(tmp_path, 70)
    with EmbeddingCache(tmp_path / "cache.sqlite", "m") as cache, pytest.raises(KeyboardInterrupt):
        observe_crops(crops, cache=cache, embedder=Counting(limit=40))
    again = Counting()
    with EmbeddingCache(tmp_path / "cache.sqlite", "m") as cache:
        assert len(cache) == 32
        observe_crops(crops, cache=cache, embedder=again)
    assert again.calls == 38


def test_changed_pixels_are_computed_again_and_renames_are_not(tmp_path: Path) -> None:
    crops, embedder = _crops(tmp_path, 2), Counting()
    with EmbeddingCache(tmp_path / "cache.sqlite", "m") as cache:
        observe_crops(crops, cache=cache, embedder=embedder)
        renamed = crops[0].path.rename(tmp_path / "other.png")
        Image.fromarray(picture(77, size=64)).save(crops[1].path)
        observe_crops([Crop(crops[0].face_id, renamed, "clip", 0), crops[1]], cache=cache, embedder=embedder)
    assert embedder.calls == 3


def test_another_model_shares_nothing(tmp_path: Path) -> None:
    crops = _crops(tmp_path, 1)
    with EmbeddingCache(tmp_path / "cache.sqlite", "m") as cache:
        observe_crops(crops, cache=cache, embedder=Counting())
    with EmbeddingCache(tmp_path / "cache.sqlite", "n") as cache:
        assert len(cache) == 0


def test_forget_leaves_nothing(tmp_path: Path) -> None:
    with EmbeddingCache(tmp_path / "cache.sqlite", "m") as cache:
        cache.put_all([("k", embedded())])
    assert forget(tmp_path / "cache.sqlite")
    assert not forget(tmp_path / "cache.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_without_identity_no_model_is_asked(tmp_path: Path) -> None:
    embedder = Counting()
    found = observe_crops(_crops(tmp_path, 2), identity=False, embedder=embedder)
    assert embedder.calls == 0
    assert found[0].vector is None and np.isnan(found[0].jitter)


def test_header_landmarks_give_the_pose(tmp_path: Path) -> None:
    crop = _crops(tmp_path, 1)[0]
    turned = Crop(crop.face_id, crop.path, crop.source, crop.frame, 64.0, head(yaw=25))
    assert observe_crops([turned], identity=False)[0].yaw == pytest.approx(25, abs=1)


def test_what_is_no_picture_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\nrubbish")
    with pytest.raises(FormatError, match=r"broken\.png"):
        read_pixels(path)


def test_the_real_model_knows_a_person_again() -> None:
    """The astronaut (NASA, public domain): found in the photograph, and the same person in a shifted crop."""
    photograph = astronaut()
    embed = DlibEmbedder()
    whole = embed.photograph(photograph)
    crop = embed(np.ascontiguousarray(photograph[40:200, 142:302]))
    other = embed.photograph(_hopper())
    assert np.linalg.norm(whole.vector - crop.vector) < 0.4 < np.linalg.norm(whole.vector - other.vector)
    assert crop.jitter < 0.05


def _hopper() -> np.ndarray:
    from matplotlib.cbook import get_sample_data

    with get_sample_data("grace_hopper.jpg") as stream:
        return np.asarray(Image.open(stream).convert("RGB"))


def test_a_sheet_has_every_band_and_samples_evenly() -> None:
    keep = list(np.linspace(0, 1, 201))
    bands = bands_of(keep, [""] * 201, low=0.05, high=0.95, most=20)
    assert [band.total for band in bands] == [11, 179, 11]
    assert len(bands[1].tiles) == 20
    assert [tile.index for tile in bands[0].tiles] == list(range(200, 189, -1))
    sheet = contact_sheet(bands, lambda index: Image.new("RGB", (50, 50), (index, 0, 0)), title="faces")
    assert sheet.width > 1000 and sheet.height > 400
