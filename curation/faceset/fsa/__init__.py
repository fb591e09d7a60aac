"""The alignments file of faceswap: a pickle that is read, walked, cut and written without running it."""
