"""Facesets: PNG headers, alignments files, merge and undo, dialects."""
