"""Single measures.

`perceptual_hash` is imagehash's `phash` bit for bit; poses and expressions come from 68 landmarks.
"""

# Names: measure Measures face_patch FacePlace perceptual_hash poses expressions twin_leaders

from pathlib import Path

import numpy as np
from galloway.curation.faceset import read_png
from galloway.curation.screen import expressions, face_patch, measure, perceptual_hash, poses, twin_leaders
from PIL import Image

paths = sorted(Path("faces").glob("*.png"))
seen = [read_png(path) for path in paths]
print(poses(np.stack([header.alignment.landmarks for header, _ in seen])).yaw)
print(expressions(np.stack([header.alignment.landmarks for header, _ in seen])))
measures = [measure(face_patch(pixels)) for _, pixels in seen]
print([int(np.count_nonzero(perceptual_hash(Image.fromarray(pixels)))) for _, pixels in seen])
sharpness = np.array([item.sharpness for item in measures])
print(twin_leaders([item.phash for item in measures], ["clip"] * len(seen), list(range(len(seen))), sharpness))
