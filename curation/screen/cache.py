"""What the identity model saw, kept by pixels, so that a killed run goes on and an unchanged face costs nothing.

One SQLite file. Vectors are biometric data: the file belongs in the workspace, and `forget` removes it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from .embed import EMBEDDING_SIZE, Embedded
from .pixels import CENTRED, FacePlace

__all__ = ["EmbeddingCache", "forget"]


class EmbeddingCache:
    """Embeddings by (model with the face's place, pixel key).

    Use as a context manager; what was put is on disk after each `put_all`.
    """

    def __init__(self, path: Path, model: str, place: FacePlace = CENTRED) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._model = f"{model}/{place.name}"
        with suppress(OSError):  # biometric data: nobody else on this machine reads it
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._db = sqlite3.connect(path, timeout=30)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS embedding (model TEXT, key TEXT, vector BLOB NOT NULL,"
            " landmarks BLOB NOT NULL, jitter REAL NOT NULL, PRIMARY KEY (model, key)) WITHOUT ROWID"
        )
        self._db.commit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def get(self, key: str) -> Embedded | None:
        """What is known of these pixels, or None."""
        row = self._db.execute(
            "SELECT vector, landmarks, jitter FROM embedding WHERE model = ? AND key = ?", (self._model, key)
        ).fetchone()
        if row is None or len(row[0]) != 4 * EMBEDDING_SIZE or len(row[1]) != 4 * 68 * 2:
            return None
        landmarks = np.frombuffer(row[1], dtype="<f4").reshape(68, 2).astype(np.float32)
        return Embedded(np.frombuffer(row[0], dtype="<f4").astype(np.float32), landmarks, float(row[2]))

    def put_all(self, items: Iterable[tuple[str, Embedded]]) -> None:
        """Keep these. Putting a key again replaces it."""
        with self._db:
            self._db.executemany(
                "INSERT OR REPLACE INTO embedding VALUES (?, ?, ?, ?, ?)",
                [
                    (self._model, key, e.vector.astype("<f4").tobytes(), e.landmarks.astype("<f4").tobytes(), e.jitter)
                    for key, e in items
                ],
            )

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM embedding WHERE model = ?", (self._model,)).fetchone()[0])


def forget(path: Path) -> bool:
    """Delete the cache and SQLite's files beside it; whether there was one."""
    found = path.is_file()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return found
