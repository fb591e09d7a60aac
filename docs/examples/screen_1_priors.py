"""What screening believes of each face.

Sharpness, light, pose and near copies need no model; identity does (`pip install 'galloway[identity]'`): leave
`identity=False` out then, and give the embeddings of the right person as `references`. Nothing is removed: `propose`
lists what it would reject and what people should check of that.
"""

# Names: screen Screening Prior ScreenSettings Crop observe_crops Observation propose Proposal ScreenError

from pathlib import Path

from galloway.curation.faceset import FacesetPaths, Side, scan_faces
from galloway.curation.screen import Crop, observe_crops, propose, screen

faces = scan_faces(FacesetPaths.of_folder(Path("faces"), side=Side.B))
crops = [Crop(face.face_id, Path("faces") / face.name, face.source, face.frame_number) for face in faces]
found = screen(observe_crops(crops, identity=False), Side.B)
for prior in sorted(found.priors, key=lambda prior: prior.p_keep)[:5]:
    print(prior.face_id, f"{prior.p_keep:.2f}", prior.flags, prior.twin_of)
print(len(propose(found, confidence=0.95).decisions), "would go unasked")
