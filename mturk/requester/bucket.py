"""One S3 bucket (or anything that speaks its API): calls that name the bucket and the remedy where they fail."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ...extras import require
from .errors import MTurkError

__all__ = ["CONNECTIONS", "Bucket"]

CONNECTIONS = 8
"""So many uploads or downloads at once."""
_ERASED_AT_ONCE = 1000
_ABSENT = ("404", "NoSuchKey", "NotFound")


class Bucket:
    """A bucket by its name; keys, region and `endpoint_url` as boto3 takes them, what is None or "" from where boto3
    finds it. `remedy` ends the sentence of a call that fails. The keys need s3:PutObject, GetObject, DeleteObject and
    ListBucket."""

    def __init__(
        self,
        name: str,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        remedy: str = "Check its name, the endpoint and the keys, then run the same command again.",
    ) -> None:
        require("boto3")
        import boto3
        from botocore.config import Config

        self.name, self._remedy = name, remedy
        self._s3: Any = boto3.client(
            "s3",
            endpoint_url=endpoint_url or None,
            region_name=region,
            aws_access_key_id=access_key or None,
            aws_secret_access_key=secret_key or None,
            config=Config(
                signature_version="s3v4",
                retries={"mode": "standard", "total_max_attempts": 5},
                max_pool_connections=CONNECTIONS,
            ),
        )

    def call(self, operation: str, *, absent: bool = False, **params: Any) -> Any:
        """What boto3's operation gives on this bucket; with `absent` None where there is no such object. Raises
        MTurkError."""
        return self._ask(operation, absent, Bucket=self.name, **params)

    def link(self, key: str, seconds: int) -> str:
        """A link that shows an object for so long."""
        params = {"Bucket": self.name, "Key": key}
        return str(
            self._ask("generate_presigned_url", False, ClientMethod="get_object", Params=params, ExpiresIn=seconds)
        )

    def keys(self, prefix: str) -> Iterator[str]:
        """The keys of all objects that begin so."""
        more: dict[str, Any] = {}
        while True:
            page = self.call("list_objects_v2", Prefix=prefix, **more)
            yield from (str(item["Key"]) for item in page.get("Contents", ()))
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def delete(self, keys: Collection[str], kept: str) -> None:
        """Delete objects. Raises MTurkError where the bucket keeps some: how many `kept`, which says what they are and
        what to do."""
        names = sorted(keys)
        for start in range(0, len(names), _ERASED_AT_ONCE):
            objects = [{"Key": name} for name in names[start : start + _ERASED_AT_ONCE]]
            answer = self.call("delete_objects", Delete={"Objects": objects, "Quiet": True})
            if refused := answer.get("Errors"):
                why = refused[0].get("Message") or refused[0].get("Code")
                raise MTurkError(f"The bucket {self.name!r} kept {len(refused)} {kept.format(why=why)}")

    def _ask(self, operation: str, absent: bool, **params: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return getattr(self._s3, operation)(**params)
        except (BotoCoreError, ClientError) as error:
            said = error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
            if absent and said in _ABSENT:
                return None
            raise MTurkError(f"The bucket {self.name!r} refused {operation}: {error}. {self._remedy}") from error
