"""From a folder of faces to a merge, and back.

The folder is one that faceswap (either line) or Galloway extracted: PNGs with headers, alignments beside them.
Planning writes nothing into it; applying is one transaction over pictures, headers and alignments; undoing brings
back every byte.
"""

# Names: FacesetPaths Side scan_faces Face FaceId decide_faces Decision Status DecidedBy Question Vote plan_merge
# Names: MergePlan Removal Move OpenFace apply_merge MergeResult undo_merge recover Recovery manifests MergeConflict
# Names: OpenFaces

from pathlib import Path

import pandas as pd
from galloway.curation.faceset import FacesetPaths, Side, apply_merge, decide_faces, plan_merge, scan_faces, undo_merge
from galloway.curation.truth import aggregate

paths = FacesetPaths.of_folder(Path("faces"), side=Side.B)
decisions = decide_faces(scan_faces(paths), aggregate(pd.read_csv("votes.csv")))  # tasks are the PNGs' names
plan = plan_merge(paths, decisions, allow_open="keep")
print(f"{len(plan.removals)} faces go, {plan.kept} stay, {len(plan.open)} are open")
undo_merge(paths, apply_merge(plan).merge_id)
