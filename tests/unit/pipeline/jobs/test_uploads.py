"""Files come in pieces; one that is cut goes on; a name is never the identity of a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.curation.errors import FacesetError
from galloway.pipeline.errors import StageError
from galloway.pipeline.jobs.uploads import add_piece, begin_upload, drop_upload, find_upload, uploads
from galloway.pipeline.workspace.folder import Workspace

from tests.support.web import empty_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return empty_workspace(tmp_path / "ws")


def test_pieces_become_the_file(workspace: Workspace) -> None:
    begun = begin_upload(workspace, r"C:\films\Зима 1.mp4", 10, b"0123")
    assert (begun.name, begun.have, begun.whole, begun.path.exists()) == ("Зима 1.mp4", 4, False, False)
    assert add_piece(workspace, begun.id, 4, b"456").have == 7
    done = add_piece(workspace, begun.id, 7, b"789")
    assert done.whole
    assert done.path.read_bytes() == b"0123456789"
    assert uploads(workspace) == [done]


def test_a_cut_upload_goes_on_where_it_was(workspace: Workspace) -> None:
    begun = begin_upload(workspace, "clip.mp4", 10, b"0123")
    add_piece(workspace, begun.id, 4, b"456")
    again = begin_upload(workspace, "clip.mp4", 10, b"0123")
    assert (again.id, again.have) == (begun.id, 7)
    assert add_piece(workspace, begun.id, 4, b"456").have == 7, "a piece that came twice is there once"
    with pytest.raises(StageError, match="7 bytes are here"):
        add_piece(workspace, begun.id, 8, b"89")
    with pytest.raises(StageError, match="7 bytes are here"):
        add_piece(workspace, begun.id, 7, b"7890")


def test_two_files_of_one_name_and_length_are_two(workspace: Workspace) -> None:
    one, two = (begin_upload(workspace, "clip.mp4", 4, data) for data in (b"aaaa", b"bbbb"))
    assert one.id != two.id
    assert (one.path.read_bytes(), two.path.read_bytes()) == (b"aaaa", b"bbbb")
    drop_upload(workspace, one.id)
    drop_upload(workspace, one.id)
    assert [item.id for item in uploads(workspace)] == [two.id]


@pytest.mark.parametrize("name", ["..", "a\0b", "", "x/"])
def test_a_name_that_is_none_is_refused(workspace: Workspace, name: str) -> None:
    with pytest.raises(FacesetError):
        begin_upload(workspace, name, 1, b"x")
    assert uploads(workspace) == []


@pytest.mark.parametrize(("size", "first"), [(0, b""), (3, b"four"), (-1, b"x")])
def test_a_length_that_does_not_fit_is_refused(workspace: Workspace, size: int, first: bytes) -> None:
    with pytest.raises(StageError, match="length"):
        begin_upload(workspace, "clip.mp4", size, first)


def test_what_is_no_upload_is_none(workspace: Workspace) -> None:
    for odd in ("../secret", "0" * 15, "0" * 16):
        assert find_upload(workspace, odd) is None
        drop_upload(workspace, odd)
    with pytest.raises(StageError, match="gone"):
        add_piece(workspace, "0" * 16, 0, b"x")
