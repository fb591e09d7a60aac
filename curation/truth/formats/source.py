"""The bytes of a votes file: a path, a pipe or `-`, packed by gzip or not, as text in whatever encoding it is."""

from __future__ import annotations

import codecs
import gzip
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ...errors import VotesError

__all__ = ["Source", "open_source"]

_GZIP = b"\x1f\x8b"
_BLOCK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's mark does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
CP1252 = "cp1252"


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A file that can be opened again and again; what cannot, a pipe, was taken into `held`. `head`: how it begins."""

    name: str
    path: Path
    head: bytes
    held: bytes | None = None
    packed: bool = False

    @contextmanager
    def binary(self) -> Iterator[IO[bytes]]:
        """The unpacked bytes. Raises VotesError where the packing is broken."""
        raw: IO[bytes] = io.BytesIO(self.held) if self.held is not None else self.path.open("rb")
        try:
            with raw, gzip.open(raw, "rb") if self.packed else raw as file:
                yield file  # type: ignore[misc]
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise VotesError(f"{self.name} is packed by gzip and broken ({error}); copy or make it anew.") from error

    @contextmanager
    def text(self, encoding: str) -> Iterator[IO[str]]:
        """The text, line ends as they are. VotesError where a byte of it is none in this encoding."""
        try:
            with self.binary() as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
                yield text
        except UnicodeDecodeError as error:
            raise VotesError(f"{self.name} is no text in {encoding} ({error.reason}); save it as UTF-8.") from error

    def encoding(self) -> str:
        """UTF-32, UTF-16 or UTF-8 by their marks, else UTF-8 where all of it is, else Windows' cp1252.

        Raises VotesError for what is no text.
        """
        for mark, name in _MARKS:
            if self.head.startswith(mark):
                return name
        decoder = codecs.getincrementaldecoder("utf-8")()
        with self.binary() as file:
            try:
                while block := file.read(_BLOCK):
                    if b"\0" in block:
                        raise VotesError(f"{self.name} is no text; give CSV, JSON, XML, Excel or Parquet.")
                    decoder.decode(block)
                decoder.decode(b"", final=True)
            except UnicodeDecodeError:
                return CP1252
        return "utf-8"


def open_source(path: Path) -> Source:
    """The file at `path`; `-` is standard input. Raises VotesError where nothing can be read."""
    try:
        if str(path) == "-":
            return _source("standard input", path, sys.stdin.buffer.read())
        return _source(str(path), path, None if path.is_file() else path.read_bytes())
    except FileNotFoundError:
        raise VotesError(f"There is no file {path}; name a CSV file with the columns worker,task,label.") from None
    except OSError as error:
        raise VotesError(f"{path} cannot be read: {error.strerror}.") from error


def _source(name: str, path: Path, held: bytes | None) -> Source:
    plain = Source(name, path, b"", held)
    with plain.binary() as file:
        head = file.read(8)
    packed = Source(name, path, head, held, packed=head.startswith(_GZIP))
    if not packed.packed:
        return packed
    with packed.binary() as file:
        return Source(name, path, file.read(8), held, packed=True)
