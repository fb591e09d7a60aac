"""Alignments files.

faceswap's `.fsa` is a pickle: it is read by an allow-list parser with bounds, and nothing in it is executed. All
dialects from 0.9 to 3 are read.
"""

# Names: read_alignments write_alignments Alignments FrameFaces export_json

import json
from pathlib import Path

from galloway.curation.faceset import export_json, read_alignments, write_alignments

alignments = read_alignments(Path("alignments/clip_alignments.fsa"))
print(f"{alignments.face_count} faces in {len(alignments.frames)} frames, written as {alignments.dialect}")
for frame in alignments.frames.values():
    frame.faces = [face for face in frame.faces if min(face.w, face.h) >= 24]
write_alignments(Path("large_alignments.fsa"), alignments)
Path("large.json").write_text(json.dumps(export_json(alignments)))  # faceswap imports this
