"""What lies beside a film is that film's alone."""

from __future__ import annotations

import hashlib
import tracemalloc
from dataclasses import astuple
from pathlib import Path

from galloway.pipeline.workspace.films import file_digest, films_in, found_beside, written_beside


def test_films_of_one_stem_share_nothing(tmp_path: Path) -> None:
    films = [tmp_path / name for name in ("out.mp4", "out.mov", "out.mkv", "out", "out.mp4.mov")]
    written = [path for film in films for path in astuple(written_beside(film))]
    assert len(set(written)) == len(written)
    assert not set(written) & set(films)


def test_what_an_earlier_release_wrote_is_found_and_goes_with_its_film(tmp_path: Path) -> None:
    film = tmp_path / "out.mp4"
    old = [tmp_path / name for name in ("out.json", "out-side-by-side.mp4", "out-preview.png")]
    for path in (film, *old):
        path.touch()
    assert list(astuple(found_beside(film))) == old == found_beside(film).remains(film)
    written_beside(film).record.touch()
    assert found_beside(film).record == written_beside(film).record
    assert found_beside(film).remains(film) == old[1:]


def test_what_may_be_another_films_is_nobodys(tmp_path: Path) -> None:
    first, second = tmp_path / "out.mp4", tmp_path / "out.mov"
    for path in (first, second, tmp_path / "out.json"):
        path.touch()
    assert found_beside(first) == written_beside(first)
    assert found_beside(first).remains(first) == []
    written_beside(second).record.touch()  # then the old record is the other's
    assert found_beside(first).record == tmp_path / "out.json"
    assert found_beside(second).record == written_beside(second).record


def test_films_and_their_folders_are_listed_and_nothing_else(tmp_path: Path) -> None:
    for name in ("b.mov", "a.mp4", "a.mp4-side-by-side.mp4", "a-side-by-side.mp4", "a.mp4.json", "a.mp4-preview.png"):
        (tmp_path / name).touch()
    for name in ("frames", "other"):
        (tmp_path / name).mkdir()
    written_beside(tmp_path / "frames").record.touch()
    assert [path.name for path in films_in(tmp_path)] == ["a.mp4", "b.mov", "frames"]
    assert films_in(tmp_path / "none") == []


def test_a_films_digest_is_taken_piece_by_piece(tmp_path: Path) -> None:
    film, body = tmp_path / "big.mov", bytes(range(256)) * (1 << 16)
    film.write_bytes(body)
    wanted = hashlib.sha256(body).hexdigest()
    tracemalloc.start()
    found = file_digest(film)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == wanted
    assert peak < len(body) / 4
    (tmp_path / "frames").mkdir()
    for name in ("1.png", "2.png"):
        (tmp_path / "frames" / name).write_bytes(name.encode())
    assert file_digest(tmp_path / "frames") == hashlib.sha256(b"1.png2.png").hexdigest()
