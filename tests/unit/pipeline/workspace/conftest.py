"""A workspace in the middle of the work."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.asking.overrule import overrule
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.place import record_place

from tests.support.web import face_id, full_workspace


@pytest.fixture
def full(tmp_path: Path) -> Workspace:
    """Recorded where it stands, with a decision of a person's."""
    workspace = full_workspace(tmp_path / "ws")
    record_place(workspace.root)
    overrule(App(workspace), face_id(Side.B, 0), "reject", reason="covered", name="Ann", note="a hand")
    return workspace
