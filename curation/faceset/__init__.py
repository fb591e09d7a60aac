"""Facesets: PNG headers and alignments read and written, decisions turned into a merge, applied and undone."""

from typing import TYPE_CHECKING

from ...lazy import public

if TYPE_CHECKING:
    from ..decide import decide_faces
    from ..errors import FacesetError, FormatError, MergeConflict, OpenFaces, UnsafeFile
    from ..types import DecidedBy, Decision, Face, FaceId, Question, Side, Status, Vote
    from .dialects.tables import faces_table, write_table
    from .fsa.alignments import export_json, read_alignments, write_alignments
    from .index import FacesetPaths, scan_faces
    from .merging.merge import apply_merge, recover, undo_merge
    from .merging.plan import MergePlan, Move, OpenFace, Removal, plan_merge
    from .merging.recovery import Recovery
    from .merging.removal import plan_removal, plan_rename
    from .merging.steps import MergeResult
    from .merging.transaction import manifests
    from .png.headers import read_header, read_png, replace_header, write_png
    from .png.identity import face_id
    from .png.types import Alignments, FaceAlignment, FaceHeader, FaceSource, FrameFaces, Mask
    from .readiness.assess import assess
    from .readiness.values import FacesetView, Readiness, Thresholds
    from .readiness.view import read_view

__all__ = [
    "Alignments",
    "DecidedBy",
    "Decision",
    "Face",
    "FaceAlignment",
    "FaceHeader",
    "FaceId",
    "FaceSource",
    "FacesetError",
    "FacesetPaths",
    "FacesetView",
    "FormatError",
    "FrameFaces",
    "Mask",
    "MergeConflict",
    "MergePlan",
    "MergeResult",
    "Move",
    "OpenFace",
    "OpenFaces",
    "Question",
    "Readiness",
    "Recovery",
    "Removal",
    "Side",
    "Status",
    "Thresholds",
    "UnsafeFile",
    "Vote",
    "apply_merge",
    "assess",
    "decide_faces",
    "export_json",
    "face_id",
    "faces_table",
    "manifests",
    "plan_merge",
    "plan_removal",
    "plan_rename",
    "read_alignments",
    "read_header",
    "read_png",
    "read_view",
    "recover",
    "replace_header",
    "scan_faces",
    "undo_merge",
    "write_alignments",
    "write_png",
    "write_table",
]

__getattr__, __dir__ = public(
    __name__,
    {
        "..decide": "decide_faces",
        "..errors": "FacesetError FormatError MergeConflict OpenFaces UnsafeFile",
        "..types": "DecidedBy Decision Face FaceId Question Side Status Vote",
        ".dialects.tables": "faces_table write_table",
        ".fsa.alignments": "export_json read_alignments write_alignments",
        ".index": "FacesetPaths scan_faces",
        ".merging.merge": "apply_merge recover undo_merge",
        ".merging.plan": "MergePlan Move OpenFace Removal plan_merge",
        ".merging.recovery": "Recovery",
        ".merging.removal": "plan_removal plan_rename",
        ".merging.steps": "MergeResult",
        ".merging.transaction": "manifests",
        ".png.headers": "read_header read_png replace_header write_png",
        ".png.identity": "face_id",
        ".png.types": "Alignments FaceAlignment FaceHeader FaceSource FrameFaces Mask",
        ".readiness.assess": "assess",
        ".readiness.values": "FacesetView Readiness Thresholds",
        ".readiness.view": "read_view",
    },
)
