"""Facesets of other programs: DeepFaceLab, faceswap of old, archives and tables."""
