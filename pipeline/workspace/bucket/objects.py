"""What lies in the bucket: one object for each content, named by its SHA-256, and the list of which file has which.

PREFIX objects/<SHA-256>     the bytes of a face, an alignments file or a manifest
PREFIX facesets.json.gz      {"format": 1, "workspace": ID, "files": {path: [SHA-256, bytes]}}
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ....mturk.requester.bucket import Bucket
from ...errors import WorkspaceError
from ..settings import FacesSettings

__all__ = ["DamagedList", "Files", "Objects", "Snapshot"]

_FORMAT = 1
_REMEDY = (
    "Check [faces] in galloway.toml (bucket, endpoint, keys) and run the same command again; without the bucket for "
    "now: GALLOWAY_FACES__S3_BUCKET= before the command."
)

Files = dict[str, tuple[str, int]]
"""Path below the workspace, with forward slashes → (SHA-256 in hexadecimal digits, bytes)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The list as it stands in the bucket; `mark` is the store's own ETag of it."""

    mark: str
    workspace: str
    files: Files


class DamagedList(WorkspaceError):
    """The list cannot be read; it can be written anew."""


class Objects:
    """A workspace's part of a bucket. Everything raises MTurkError where it refuses, and WorkspaceError where it holds
    something else than was put there."""

    def __init__(self, settings: FacesSettings) -> None:
        self.place = f"s3://{settings.s3_bucket}/{settings.s3_prefix}"
        self._prefix = settings.s3_prefix
        self._bucket = Bucket(
            settings.s3_bucket,
            endpoint_url=settings.s3_endpoint,
            region=settings.s3_region,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key,
            remedy=_REMEDY,
        )

    def mark(self) -> str:
        """The ETag of the list; "" where there is none."""
        found = self._bucket.call("head_object", absent=True, Key=self._list)
        return "" if found is None else str(found["ETag"])

    def snapshot(self) -> Snapshot | None:
        """The list, None where there is none."""
        found = self._bucket.call("get_object", absent=True, Key=self._list)
        if found is None:
            return None
        try:
            told = json.loads(gzip.decompress(found["Body"].read()))
            if told["format"] != _FORMAT:
                raise WorkspaceError(f"{self.place} was written by a newer Galloway. Upgrade this one.")
            files = {str(path): (str(digest), int(size)) for path, (digest, size) in told["files"].items()}
            return Snapshot(str(found["ETag"]), str(told["workspace"]), files)
        except (OSError, EOFError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise DamagedList(
                f"The list of faces in {self.place} is damaged ({error}). Write it anew from a folder that has "
                "everything: galloway bucket push --ours"
            ) from error

    def write(self, workspace: str, files: Files) -> str:
        """Put the list there; its new mark."""
        told = {"format": _FORMAT, "workspace": workspace, "files": files}
        body = gzip.compress(json.dumps(told, sort_keys=True).encode(), mtime=0)
        return str(self._bucket.call("put_object", Key=self._list, Body=body, ContentType="application/gzip")["ETag"])

    def upload(self, digest: str, body: bytes) -> None:
        """Put a content there. Twice changes nothing."""
        self._bucket.call("put_object", Key=self._object(digest), Body=body, ContentType="application/octet-stream")

    def download(self, digest: str) -> bytes:
        """A content; what comes is what its name says."""
        found = self._bucket.call("get_object", absent=True, Key=self._object(digest))
        body: bytes = b"" if found is None else found["Body"].read()
        if found is None or hashlib.sha256(body).hexdigest() != digest:
            what = "lacks a file that its list names" if found is None else "gave something else than was put there"
            raise WorkspaceError(
                f"{self.place} {what} ({digest[:12]}…). Nothing was changed here. Put it there again from a folder "
                "that has everything (galloway bucket push --ours), or bring back a backup of the bucket."
            )
        return body

    def there(self) -> Iterator[str]:
        """The digests of all contents that are there."""
        start = self._object("")
        return (key.removeprefix(start) for key in self._bucket.keys(start))

    def delete(self, digests: Collection[str]) -> None:
        """Take contents away."""
        lets = "Let the keys delete there (s3:DeleteObject), then: galloway bucket push"
        self._bucket.delete([self._object(digest) for digest in digests], "files that are gone here: {why}. " + lets)

    def keeps_versions(self) -> bool:
        """Whether the bucket says that it keeps what is deleted."""
        return bool((self._bucket.call("get_bucket_versioning", absent=True) or {}).get("Status"))

    @property
    def _list(self) -> str:
        return f"{self._prefix}facesets.json.gz"

    def _object(self, digest: str) -> str:
        return f"{self._prefix}objects/{digest}"
