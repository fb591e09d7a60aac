"""Screening before asking: what pixels, pose and identity say of each face, as priors. Nothing here removes a face."""

from typing import TYPE_CHECKING

from ...lazy import public

if TYPE_CHECKING:
    from ..errors import ScreenError
    from ..likeness import perceptual_hash
    from .cache import EmbeddingCache
    from .crops import Crop, observe_crops
    from .embed import DlibEmbedder, Embedded, embedder_available
    from .observe import Observation
    from .pixels import FacePlace, Measures, face_patch, measure
    from .pose import expressions, poses
    from .priors import Prior, Screening, ScreenSettings, screen
    from .proposals import Proposal, propose
    from .twins import twin_leaders

__all__ = [
    "Crop",
    "DlibEmbedder",
    "Embedded",
    "EmbeddingCache",
    "FacePlace",
    "Measures",
    "Observation",
    "Prior",
    "Proposal",
    "ScreenError",
    "ScreenSettings",
    "Screening",
    "embedder_available",
    "expressions",
    "face_patch",
    "measure",
    "observe_crops",
    "perceptual_hash",
    "poses",
    "propose",
    "screen",
    "twin_leaders",
]

__getattr__, __dir__ = public(
    __name__,
    {
        "..errors": "ScreenError",
        "..likeness": "perceptual_hash",
        ".cache": "EmbeddingCache",
        ".crops": "Crop observe_crops",
        ".embed": "DlibEmbedder Embedded embedder_available",
        ".observe": "Observation",
        ".pixels": "FacePlace Measures face_patch measure",
        ".pose": "expressions poses",
        ".priors": "Prior ScreenSettings Screening screen",
        ".proposals": "Proposal propose",
        ".twins": "twin_leaders",
    },
)
