"""The error tree of the label side.

CurationError
├── FacesetError            a folder, PNG header or alignments file that cannot be used
│   ├── UnsafeFile          a file that tries to run code, escapes its folder or explodes in memory
│   ├── FormatError         a file that is not what its name or header says
│   ├── MergeConflict       folder, headers and alignments changed between plan and apply
│   └── OpenFaces           faces without a final answer, and nobody said what becomes of them
├── VotesError              a votes table that cannot be read
├── ScreenError             screening cannot run (missing model, no references)
└── WorkersLost             processes or a cluster that were given work ended again and again

Every message names the object and what to do next.
"""

__all__ = [
    "CurationError",
    "FacesetError",
    "FormatError",
    "MergeConflict",
    "OpenFaces",
    "ScreenError",
    "UnsafeFile",
    "VotesError",
    "WorkersLost",
]


class CurationError(Exception):
    """Root of everything that `curation` raises on purpose."""


class FacesetError(CurationError):
    """A folder, PNG header or alignments file that cannot be used."""


class UnsafeFile(FacesetError):
    """A file that tries to run code, to leave its folder or to explode in memory; nothing of it was executed."""


class FormatError(FacesetError):
    """A file that is not what its name or its header says."""


class MergeConflict(FacesetError):
    """Folder, headers or alignments changed between plan and apply."""


class OpenFaces(FacesetError):
    """Faces are still undecided or disputed, and nobody said what should happen to them."""


class VotesError(CurationError):
    """A votes table that cannot be read."""


class ScreenError(CurationError):
    """Screening cannot run: a model or a reference is missing."""


class WorkersLost(CurationError):
    """Workers ended again and again in the midst of their work, or cannot be reached any more."""
