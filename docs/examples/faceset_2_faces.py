"""Faces and their headers.

A face PNG says in its header where the face is in its frame. `face_id` is made of side, frame and pixels: it survives
renaming and merging.
"""

# Names: read_png read_header write_png replace_header FaceHeader FaceAlignment FaceSource Mask face_id FormatError
# Names: UnsafeFile FacesetError

from pathlib import Path

from galloway.curation.faceset import Side, face_id, read_png, replace_header, write_png
from PIL import Image

path = next(iter(sorted(Path("faces").glob("*.png"))))
header, pixels = read_png(path)  # uint8 (height, width, 3), RGB
print(header.source.source_filename, header.source.face_index, header.alignment.box, header.alignment.landmarks.shape)
print(face_id(Side.B, header, pixels))
copy = Path("copy.png")
write_png(copy, Image.fromarray(pixels), header)
replace_header(copy, header, dialect="v3")  # as faceswap's master line writes it
