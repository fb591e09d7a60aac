"""The header of a face PNG: read, written and moved as faceswap's two lines write it."""
