"""The regions of footage in which no face counts, as a workspace keeps them beside it."""

from __future__ import annotations

from pathlib import Path

from ...curation.files import read_bounded
from ...curation.types import Side
from ..video.regions import Regions, parse_regions
from .folder import Workspace

__all__ = ["kept_regions", "regions_path"]

_LARGEST = 4 << 20


def regions_path(workspace: Workspace, side: Side, name: str) -> Path:
    """Where the regions of a source are kept. Raises WorkspaceError for a name that is none."""
    return workspace.source_record(side, name).with_name(f"{name}.regions.json")


def kept_regions(workspace: Workspace, side: Side, name: str) -> Regions:
    """The regions of a source; none where nobody set any. Raises StageError where the file is damaged."""
    path = regions_path(workspace, side, name)
    if not path.is_file():
        return Regions()
    return parse_regions(read_bounded(path, _LARGEST), workspace.relative(path))
