"""Where the images live that workers see: opaque names, links that expire.

A link of `LocalHosting` is 36 characters behind the base URL for an id of 32 hex digits, so that a HIT of 65,535
bytes holds hundreds of them; it needs no table, and shows neither the image's name nor when it ends.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Protocol

from .bucket import CONNECTIONS, Bucket
from .errors import MTurkError

__all__ = ["Hosting", "LocalHosting", "S3Hosting", "media_type"]

_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
_MAC = 8
_PRESIGN_LIMIT = timedelta(days=7)

Progress = Callable[[str, int, int | None], None]


def _untold(_what: str, _done: int, _total: int | None) -> None:
    return


Image = tuple[str, Callable[[], bytes]]
"""An image's key (or that of a sound or a film), and what makes its bytes when they are needed."""


_KINDS = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"BM", "image/bmp"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
)
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp"}
_STILLS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")


def media_type(body: bytes) -> str | None:
    """What a picture, a sound or a film is, by its first bytes and never by its name; None for everything else."""
    if body[:4] == b"RIFF":
        return _RIFF.get(body[8:12])
    if body[4:8] == b"ftyp":
        brand = body[8:12]
        return "image/heic" if brand in _STILLS else "audio/mp4" if brand[:3] == b"M4A" else "video/mp4"
    # MPEG-1 or 2, layer III: eleven set bits, then version and layer.
    if len(body) > 1 and body[0] == 0xFF and body[1] in (0xFB, 0xFA, 0xF3, 0xF2):
        return "audio/mpeg"
    return next((kind for start, kind in _KINDS if body.startswith(start)), None)


class Hosting(Protocol):
    """Makes links to images, and has the images where the links lead."""

    def url(self, image_key: str, expires: datetime | timedelta) -> str:
        """A link that shows the image until `expires` and tells nothing about it."""
        ...

    def put(self, images: Sequence[Image], progress: Progress = _untold) -> None:
        """Have every image where its link leads. Twice changes nothing."""
        ...

    def keep_only(self, image_keys: Collection[str]) -> int:
        """Remove every other image that was put there with our secret; how many. Their links show nothing any more."""
        ...


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LocalHosting:
    """Links to our own server, encrypted and signed with one secret (a synthetic-IV cipher made of HMAC-SHA256).

    The same key and the same minute of expiry give the same link, so that a page rendered twice is the same page.
    """

    def __init__(self, secret: bytes, base_url: str, *, clock: Callable[[], datetime] = _utc_now) -> None:
        if len(secret) < 16:
            raise MTurkError("The secret for image links needs at least 16 bytes.")
        self._sign = hmac.new(secret, b"galloway image link: sign", hashlib.sha256).digest()
        self._hide = hmac.new(secret, b"galloway image link: hide", hashlib.sha256).digest()
        self._base = base_url.rstrip("/")
        self._clock = clock

    def url(self, image_key: str, expires: datetime | timedelta) -> str:
        return f"{self._base}/{self.token(image_key, expires)}"

    def put(self, images: Sequence[Image], progress: Progress = _untold) -> None:
        """Nothing to do: our own server reads each picture when a browser asks for it."""

    def keep_only(self, image_keys: Collection[str]) -> int:
        """Nothing to do: no copy was made, and the links end by themselves."""
        return 0

    def token(self, image_key: str, expires: datetime | timedelta) -> str:
        """The last part of the link: base64url of an 8-byte MAC and the hidden key and expiry minute."""
        until = self._clock() + expires if isinstance(expires, timedelta) else expires
        minutes = -int(-(until - _EPOCH).total_seconds() // 60)
        if not 0 <= minutes < 1 << 24:
            raise MTurkError(f"An image link cannot end at {until:%Y-%m-%d}.")
        plain = minutes.to_bytes(3, "big") + _pack(image_key)
        mac = self._mac(plain)
        return base64.urlsafe_b64encode(mac + self._crypt(mac, plain)).rstrip(b"=").decode()

    def resolve(self, token: str) -> str | None:
        """The image's key, None for a link that was changed, made up, or has ended."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            return None
        mac, hidden = raw[:_MAC], raw[_MAC:]
        plain = self._crypt(mac, hidden)
        if len(plain) < 4 or not hmac.compare_digest(mac, self._mac(plain)):
            return None
        # A link has one spelling: the bits that base64 leaves over are zero.
        if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
            return None
        ends = _EPOCH + timedelta(minutes=int.from_bytes(plain[:3], "big"))
        return None if self._clock() > ends else _unpack(plain[3:])

    def _mac(self, plain: bytes) -> bytes:
        return hmac.new(self._sign, plain, hashlib.sha256).digest()[:_MAC]

    def _crypt(self, mac: bytes, data: bytes) -> bytes:
        stream = b""
        while len(stream) < len(data):
            block = mac + (len(stream) // 32).to_bytes(4, "big")
            stream += hmac.new(self._hide, block, hashlib.sha256).digest()
        return bytes(left ^ right for left, right in zip(data, stream, strict=False))


def _pack(image_key: str) -> bytes:
    """16 bytes for 32 lower-case hex digits; other keys as UTF-8 behind zero bytes, never 16 bytes long."""
    if len(image_key) == 32 and all(digit in "0123456789abcdef" for digit in image_key):
        return bytes.fromhex(image_key)
    text = image_key.encode()
    if not text or text.startswith(b"\0"):
        raise MTurkError("An image key cannot be empty or begin with a zero byte.")
    return (b"\0\0" if len(text) == 15 else b"\0") + text


def _unpack(data: bytes) -> str:
    return data.hex() if len(data) == 16 else data.lstrip(b"\0").decode()


class S3Hosting:
    """Images in an S3 bucket (or anything that speaks its API, by `endpoint_url`), shown by presigned links.

    Objects are named by a keyed hash, so that a listing of the bucket tells no face id; those of one secret lie
    together, so that several workspaces share a bucket. Presigned links live at most seven days, and a HIT holds about
    128 of them. The keys need s3:PutObject, GetObject, DeleteObject and ListBucket.
    """

    def __init__(
        self,
        bucket: str,
        secret: bytes,
        *,
        prefix: str = "faces/",
        endpoint_url: str | None = None,
        region: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
    ) -> None:
        self._bucket = Bucket(
            bucket, endpoint_url=endpoint_url, region=region, access_key=access_key, secret_key=secret_key
        )
        self._secret = secret
        self._prefix = f"{prefix}{self._hash(b'galloway images of')[:12]}/"

    def object_name(self, image_key: str) -> str:
        """The object's opaque name."""
        return self._prefix + self._hash(b"galloway image\x00" + image_key.encode())[:32]

    def _hash(self, text: bytes) -> str:
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def put(self, images: Sequence[Image], progress: Progress = _untold) -> None:
        """Upload every image, several at once. Raises MTurkError at the first that the bucket refuses."""
        pool = ThreadPoolExecutor(CONNECTIONS)
        try:
            for done, _ in enumerate(pool.map(self._upload, images), 1):
                progress("pictures", done, len(images))
        finally:
            pool.shutdown(cancel_futures=True)

    def _upload(self, image: Image) -> None:
        image_key, make = image
        body = make()
        self._bucket.call(
            "put_object",
            Key=self.object_name(image_key),
            Body=body,
            ContentType=media_type(body) or "image/jpeg",
            CacheControl="private, max-age=3600",
        )

    def url(self, image_key: str, expires: datetime | timedelta) -> str:
        span = expires if isinstance(expires, timedelta) else expires - _utc_now()
        if not timedelta(0) < span <= _PRESIGN_LIMIT:
            raise MTurkError("A presigned link lives more than nothing and at most 7 days; publish a shorter lifetime.")
        return self._bucket.link(self.object_name(image_key), int(span.total_seconds()))

    def keep_only(self, image_keys: Collection[str]) -> int:
        """Remove every other image of ours; how many. Raises MTurkError where the bucket does not let us."""
        kept = {self.object_name(image_key) for image_key in image_keys}
        gone = [name for name in self._bucket.keys(self._prefix) if name not in kept]
        lets = "Let the keys delete there (s3:DeleteObject), then: galloway collect"
        self._bucket.delete(gone, "pictures that no page shows any more: {why}. " + lets)
        return len(gone)
