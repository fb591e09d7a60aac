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
from typing import Any

from ....extras import require
from ...errors import WorkspaceError
from ..settings import FacesSettings

__all__ = ["CONNECTIONS", "DamagedList", "Files", "Objects", "Snapshot"]

CONNECTIONS = 8
_FORMAT = 1
_ERASED_AT_ONCE = 1000
_ABSENT = ("404", "NoSuchKey", "NotFound")

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
    """A workspace's part of a bucket. Everything raises WorkspaceError that names the bucket and the remedy."""

    def __init__(self, settings: FacesSettings) -> None:
        require("boto3")
        import boto3
        from botocore.config import Config

        self.place = f"s3://{settings.s3_bucket}/{settings.s3_prefix}"
        self._bucket, self._prefix = settings.s3_bucket, settings.s3_prefix
        self._s3: Any = boto3.client(
            "s3",
            endpoint_url=settings.s3_endpoint or None,
            region_name=settings.s3_region,
            aws_access_key_id=settings.s3_access_key or None,
            aws_secret_access_key=settings.s3_secret_key or None,
            config=Config(
                signature_version="s3v4",
                retries={"mode": "standard", "total_max_attempts": 5},
                max_pool_connections=CONNECTIONS,
            ),
        )

    def mark(self) -> str:
        """The ETag of the list; "" where there is none."""
        found = self._call("head_object", absent=True, Key=self._list)
        return "" if found is None else str(found["ETag"])

    def snapshot(self) -> Snapshot | None:
        """The list, None where there is none."""
        found = self._call("get_object", absent=True, Key=self._list)
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
        return str(self._call("put_object", Key=self._list, Body=body, ContentType="application/gzip")["ETag"])

    def upload(self, digest: str, body: bytes) -> None:
        """Put a content there. Twice changes nothing."""
        self._call("put_object", Key=self._object(digest), Body=body, ContentType="application/octet-stream")

    def download(self, digest: str) -> bytes:
        """A content; what comes is what its name says."""
        found = self._call("get_object", absent=True, Key=self._object(digest))
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
        more: dict[str, Any] = {}
        start = self._object("")
        while True:
            page = self._call("list_objects_v2", Prefix=start, **more)
            yield from (str(item["Key"]).removeprefix(start) for item in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, digests: Collection[str]) -> None:
        """Take contents away."""
        names = sorted(map(self._object, digests))
        for start in range(0, len(names), _ERASED_AT_ONCE):
            objects = [{"Key": name} for name in names[start : start + _ERASED_AT_ONCE]]
            answer = self._call("delete_objects", Delete={"Objects": objects, "Quiet": True})
            if refused := answer.get("Errors"):
                why = refused[0].get("Message") or refused[0].get("Code")
                raise WorkspaceError(
                    f"{self.place} kept {len(refused)} files that are gone here: {why}. Let the keys delete there "
                    "(s3:DeleteObject), then: galloway bucket push"
                )

    def keeps_versions(self) -> bool:
        """Whether the bucket says that it keeps what is deleted."""
        return bool((self._call("get_bucket_versioning", absent=True) or {}).get("Status"))

    @property
    def _list(self) -> str:
        return f"{self._prefix}facesets.json.gz"

    def _object(self, digest: str) -> str:
        return f"{self._prefix}objects/{digest}"

    def _call(self, operation: str, *, absent: bool = False, **params: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._s3, operation)(Bucket=self._bucket, **params)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if absent and code in _ABSENT:
                return None
            raise self._refused(operation, error) from error
        except BotoCoreError as error:
            raise self._refused(operation, error) from error

    def _refused(self, operation: str, error: Exception) -> WorkspaceError:
        return WorkspaceError(
            f"{self.place} refused {operation}: {error}. Check [faces] in galloway.toml (bucket, endpoint, keys) and "
            "run the same command again; without the bucket for now: GALLOWAY_FACES__S3_BUCKET= before the command."
        )
