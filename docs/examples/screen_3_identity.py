"""Who is on a face.

dlib's 128 numbers per face, kept in a cache of pixel keys. An embedding is biometric data: delete the cache when it
is not needed any more.
"""

# Names: DlibEmbedder Embedded embedder_available EmbeddingCache

from pathlib import Path

from galloway.curation.screen import Crop, DlibEmbedder, EmbeddingCache, embedder_available, observe_crops

if embedder_available():
    crops = [Crop(path.stem, path, "clip", None) for path in sorted(Path("faces").glob("*.png"))]
    with EmbeddingCache(Path("embeddings.db"), DlibEmbedder.name) as cache:
        print([observation.vector[:3] for observation in observe_crops(crops, cache=cache)])
