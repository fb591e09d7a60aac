"""faceswap's jobs on a workspace's folder: what the tables say of its faces is true afterwards."""

from __future__ import annotations

from pathlib import Path

from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.market.pictures import face_file
from galloway.pipeline.stages.status import read_status

from tests.support.workspace import built_app, galloway


def seen(app: App) -> int:
    """How many faces of B the status counts; each of them has its picture."""
    faces = app.store.faces(Side.B)
    for face in faces:
        path = face_file(app.workspace, app.store, face.face_id)
        assert path is not None, f"{face.name} has no picture"
    assert read_status(app).sides["b"].faces == len(faces)
    return len(faces)


def test_faces_that_remove_faces_took_out_are_not_counted_and_the_others_have_their_new_names(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=12)
    folder = app.workspace.faces_dir(Side.B)
    pair = sorted(path for path in folder.iterdir() if path.name.startswith("clipb_000003_"))
    assert len(pair) == 2
    aside = tmp_path / pair[0].name
    pair[0].rename(aside)
    told = galloway(app, "faceset", "remove-faces", "--side", "b")
    assert told.returncode == 0, told.stderr
    assert not pair[1].exists(), "it is the frame's first face now"
    assert seen(app) == 11
    undone = galloway(app, "faceset", "undo", "--side", "b")
    assert undone.returncode == 0, undone.stderr
    assert seen(app) == 11
    aside.rename(pair[0])
    assert galloway(app, "faceset", "remove-faces", "--side", "b").returncode == 3
    assert seen(app) == 12


def test_an_approved_faceset_is_taken_back_with_its_approval_and_not_by_the_folders_undo(tmp_path: Path) -> None:
    app = built_app(tmp_path / "ws", faces=6)
    merged = galloway(app, "merge", "--side", "b", "--open", "keep")
    assert merged.returncode == 0, merged.stderr
    approved = app.standing_merge(Side.B)
    assert approved is not None
    for named in ((), (approved.merge_id,)):
        refused = galloway(app, "faceset", "undo", "--side", "b", *named)
        assert refused.returncode == 1 and "galloway merge undo --side b" in refused.stderr
    assert app.standing_merge(Side.B) == approved
    undone = galloway(app, "merge", "undo", "--side", "b")
    assert undone.returncode == 0, undone.stderr
    assert app.standing_merge(Side.B) is None
