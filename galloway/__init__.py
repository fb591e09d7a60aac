"""Galloway: clean facesets together, then swap the face.

What is public stands in `galloway.curation.truth`, `galloway.curation.faceset`, `galloway.curation.screen` and
`galloway.mturk`, each a page of names (docs/api.md). Everything else may change.
"""

from pathlib import Path

__version__ = "0.1.0"

_checkout = Path(__file__).resolve().parent.parent
if (_checkout / "setup.cfg").is_file():
    # In a checkout the rooms lie beside this folder; an installed Galloway has them inside it (setup.py maps them).
    __path__.append(str(_checkout))
