"""A faceset as a table, and jobs that faceswap has.

`plan_removal` is faceswap's remove-faces, `plan_rename` its rename: both are plans that `apply_merge` applies and
`undo_merge` takes back.
"""

# Names: faces_table write_table plan_removal plan_rename

from pathlib import Path

from galloway.curation.faceset import FacesetPaths, faces_table, plan_removal, plan_rename, write_table

paths = FacesetPaths.of_folder(Path("faces"))
table = faces_table(paths, ids=True)  # name, face_id, frame, place, box, landmarks …
print(table.groupby("alignments").size())
write_table(table, Path("faces.csv"))
print(plan_rename(paths).is_empty, plan_removal(paths).is_empty)
