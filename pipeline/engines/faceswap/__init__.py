"""faceswap as an engine: both living lines (v2.3.0 on TensorFlow, master on Keras 3 and Torch), run as a program."""

from .engine import FaceswapEngine
from .translate import Translation, translate

__all__ = ["FaceswapEngine", "Translation", "translate"]
