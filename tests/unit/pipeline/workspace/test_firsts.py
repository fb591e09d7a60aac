"""With which others a face was asked first and singly."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from galloway.curation.types import FaceId, PageKind, Question
from galloway.pipeline.workspace.firsts import first_alone
from galloway.pipeline.workspace.records import FrozenTile, add_batch

from tests.support.workspace import built_app, frozen_batch

FIRST = frozen_batch()


def test_groups_later_rounds_audits_and_known_faces_are_left_out(tmp_path: Path) -> None:
    workspace = built_app(tmp_path / "w").workspace
    batches = [
        FIRST,
        replace(FIRST, key="groups", page=PageKind.CLUSTER),
        replace(FIRST, key="again", round=2),
        replace(FIRST, key="audit", audit=True),
    ]
    for number, batch in enumerate(batches):
        tiles = {f"t{n}": FrozenTile(FaceId(f"{10 * number + n:032x}"), gold=n == 2) for n in range(3)}
        add_batch(workspace, batch, {f"hit-{batch.key}": tiles})
    asked = {(FaceId(f"{n:032x}"), question): "first" for n in (0, 1) for question in Question}
    assert first_alone(workspace) == asked
