"""Occlusion masks handed on: what training learnt of things before faces, in alignments as faceswap reads them."""

from __future__ import annotations

from pathlib import Path

from ...curation.faceset.png.types import Alignments
from ...curation.types import Progress
from ..app import App
from ..engines.base import MASK_NAME
from ..workspace.runs import runs

__all__ = ["handed_on"]


def handed_on(app: App, faces: Path, found: Alignments, progress: Progress) -> tuple[Alignments, int]:
    """The alignments with a mask for each face in `faces`, and how many; as they are where no model has learnt any."""
    for run in reversed(runs(app.workspace)):
        folder = app.workspace.inside(run.record["model_dir"])
        if (folder / MASK_NAME).is_file():
            # Here, for a workspace without such a mask need not have the embedded engine's packages.
            from ..engines.embedded.occlusion.learn import trusted
            from ..engines.embedded.occlusion.stored import with_occlusion

            net = trusted(folder)
            if net is not None:
                return with_occlusion(found, faces, net, progress)
    return found, 0
