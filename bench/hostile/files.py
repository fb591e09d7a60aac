"""Hostile files that nobody listed: bombs, loops, nested texts, formulas, tables with triggers, raw HTTP."""

from __future__ import annotations

import io
import random
import socket
import sqlite3
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pandas as pd
from galloway.curation.faceset.dialects.pictures import pictures_in
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.curation.faceset.png.headers import read_header
from galloway.curation.pictures import open_picture
from galloway.curation.spreadsheet import csv_text
from galloway.curation.truth.files import read_votes
from galloway.mturk.marketplace.config import MarketConfig
from galloway.mturk.marketplace.serve import RunningMarketplace
from PIL import Image

from .tally import Tally

CATEGORIES = frozenset({"bombs", "archives", "alignments", "face headers", "votes files", "formulas", "tables", "http"})


def _png(*chunks: tuple[bytes, bytes], width: int = 8, height: int = 8) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + body


def _bombs(rng: random.Random) -> Iterator[bytes]:
    """Sizes that lie, pixels and texts that unpack to gigabytes, directories that point at themselves, many frames."""
    big = rng.choice((20_000, 65_535, 1_000_000, 2**31 - 1))
    rows = zlib.compress(bytes(rng.choice((1 << 20, 1 << 24))))
    yield _png((b"IDAT", rows), width=big, height=big)
    yield _png((b"zTXt", b"x\0\0" + rows), (b"IDAT", zlib.compress(bytes(8 * 25))))
    yield _png((b"iCCP", b"x\0\0" + rows), (b"IDAT", zlib.compress(bytes(8 * 25))))
    frames = rng.randrange(1, 2**31)
    yield _png((b"acTL", struct.pack(">II", frames, 0)), (b"IDAT", zlib.compress(bytes(8 * 25))))
    yield (
        b"BM"
        + struct.pack("<IHHI", 54, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, big % 2**31, -9, 1, 24, 0, 0, 0, 0, 0, 0)
    )
    # A TIFF whose directory follows itself, with a size of its own and strips that lie elsewhere.
    tags = [
        (256, 4, 1, big % 2**31),
        (257, 4, 1, big % 2**31),
        (262, 3, 1, 2),
        (273, 4, 1, 8),
        (279, 4, 1, 9),
        (330, 4, 1, 8),
    ]
    directory = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    yield b"II*\0" + struct.pack("<I", 8) + directory + struct.pack("<I", 8)
    yield b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\x10\0\0\0" + b"\xff" * 6
    plain = io.BytesIO()
    Image.new("RGB", (8, 8)).save(plain, "JPEG")
    exif = (
        b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 1) + struct.pack("<HHII", 34665, 4, 1, 8) + struct.pack("<I", 8)
    )
    yield plain.getvalue()[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + plain.getvalue()[2:]
    yield from (
        b"<svg xmlns:xlink='x'><image xlink:href='file:///etc/passwd'/></svg>",
        b"8BPS\0\1" + bytes(6) + b"\xff" * 20,
    )


def bombs(tally: Tally, rng: random.Random, count: int) -> None:
    """Pictures that are small on the disk and enormous, endless or something else inside."""
    done = 0
    while done < count:
        for data in _bombs(rng):
            done += 1
            tally.attempt("bombs", lambda data=data: open_picture(data, name="x.png", pixels=1 << 22))


def archives(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """Zips with bombs, links, paths that lead out, the same name twice and sizes that lie."""
    for number in range(count):
        path = folder / f"set{number}.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            name = rng.choice(("../a.png", "/etc/a.png", "a.png", "a\0b.png", "con.png", "d/../../a.png", "C:\\a.png"))
            info = zipfile.ZipInfo(name.replace("\0", "_"))
            if number % 3 == 0:
                info.external_attr = 0o120777 << 16  # a symbolic link
            archive.writestr(info, b"/etc/passwd" if number % 3 == 0 else bytes(rng.choice((10, 1 << 22))))
        if number % 4 == 1:
            data = bytearray(path.read_bytes())
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            path.write_bytes(bytes(data))
        tally.attempt("archives", lambda path=path: list(pictures_in(path)))
        path.unlink()


def alignments(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """Alignments that are nested, pickles that call programs, compressed bombs and noise."""
    calls = (
        b"cos\nsystem\n(S'gs'\ntR.",
        b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02gs\x85R.",
        b"(" * 50_000,
        b"\x80\x04" + b"]" * 90_000 + b".",
    )
    for number in range(count):
        body = rng.choice((*calls, bytes(1 << rng.randrange(10, 25)), rng.randbytes(200)))
        json_text = rng.choice(
            (b"[" * 90_000, b'{"a":' * 20_000, b'{"__meta__": 1}', b'{"x.png": {"faces": "no"}}', b"1e999")
        )
        suffix, data = rng.choice(((".fsa", zlib.compress(body)), (".fsa", body), (".json", json_text)))
        path = folder / f"a{number}{suffix}"
        path.write_bytes(data)
        tally.attempt("alignments", lambda path=path: read_alignments(path))
        path.unlink()


def face_headers(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """PNGs whose header is code, nested, enormous or says that it belongs elsewhere."""
    texts = (
        "__import__('os').system('gs')",
        "[" * 50_000,
        "{'a': " * 9000,
        "{'alignments': {}, 'source': {}}",
        "9" * 90_000,
        "{'source': {'source_filename': '../../x', 'face_index': -1}}",
        "(lambda: 1)()",
        "'a' * 10**10",
        "\x00\xff",
    )
    for number in range(count):
        text = rng.choice(texts).encode("latin-1")
        kind = rng.choice((b"iTXt", b"tEXt", b"zTXt"))
        data = b"faceswap\0" + (b"\0\0\0\0" + text if kind == b"iTXt" else b"\0" + zlib.compress(text))
        path = folder / f"h{number}.png"
        path.write_bytes(_png((kind, data), (b"IDAT", zlib.compress(bytes(8 * 25)))))
        tally.attempt("face headers", lambda path=path: read_header(path))
        path.unlink()


def votes_files(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """Tables and exports that are nested, of other encodings, cut off, huge in a cell, or XML with entities."""
    entity = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'
    shapes: tuple[bytes, ...] = (
        b"[" * 80_000,
        b'[{"annotations": 3}]',
        b'{"task": [[[[]]]]}',
        b"worker,task,label\n" + b'"' * 9999,
        entity.encode(),
        b"\xff\xfe" + b"a\0" * 50,
        b"PK\3\4" + bytes(90),
        b"PAR1" + bytes(40),
        b"worker,task,label\n\0,\0,\0\n" * 9,
        b"",
        b"worker,task,label\n" + b"a," * 30_000,
        b"worker\ttask\tlabel\nx\ty\n",
        b'{"worker": NaN}\n' * 3,
    )
    for number in range(count):
        data = bytearray(rng.choice(shapes))
        if data and number % 3 == 0:
            data[rng.randrange(len(data))] = rng.randrange(256)
        path = (
            folder / f"v{number}{rng.choice(('.csv', '.json', '.jsonl', '.xlsx', '.parquet', '.tsv', '.xml', '.zip'))}"
        )
        path.write_bytes(bytes(data))
        tally.attempt("votes files", lambda path=path: read_votes(path))
        path.unlink()


def formulas(tally: Tally, rng: random.Random, count: int) -> None:
    """Cells that a spreadsheet would run, however they begin."""
    starts = (
        "=",
        "+",
        "-",
        "@",
        "\t=",
        "\r=",
        "\n=",
        " =",
        "\uff1d",
        "\uff0b",
        "\uff20",
        "=cmd|' /C calc'!A0",
        '"=1+1"',
        "%=",
    )

    def harmless(text: str) -> bool:
        cells = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)["x"]
        return not any(
            str(cell).lstrip(" \t\r\n")[:1] in ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff20") for cell in cells
        )

    for _ in range(count):
        cell = rng.choice(starts) + "".join(rng.choices("1+A()!|HYPERLINK", k=9))
        tally.attempt("formulas", lambda cell=cell: csv_text(pd.DataFrame({"x": [cell]})), harmless)


def tables(tally: Tally, rng: random.Random, count: int, root: Path) -> None:
    """A stranger's workspace database: triggers, views, other types in columns, functions that are not there."""
    kept = (root / "galloway.db").read_bytes()
    for _ in range(count):
        name = rng.choice(("face", "vote", "source", "decision", "batch_plan", "tile", "faceset"))
        evil = (
            f"CREATE TRIGGER t AFTER INSERT ON {name} BEGIN SELECT load_extension('/tmp/x.so'); END",
            f"CREATE TRIGGER t AFTER INSERT ON {name} BEGIN DELETE FROM source; SELECT writefile('/tmp/x', 'x'); END",
            f"ALTER TABLE {name} RENAME TO was; ",
            f"DROP TABLE {name}",
            "CREATE VIEW v AS SELECT load_extension('/tmp/x.so')",
            "PRAGMA user_version = -1",
            (
                "INSERT INTO source (side, name, kind, path, sha256, person, basis, note, ingested_at) "
                "VALUES ('z', x'ff00', 'x', 'y', 1.5, '', '', '', 'never')"
            ),
        )
        with closing(sqlite3.connect(root / "galloway.db")) as db:
            try:
                db.executescript(rng.choice(evil))
            except sqlite3.Error:
                continue
        tally.attempt("tables", lambda: _listed(root))
        for ending in ("", "-wal", "-shm"):
            (root / f"galloway.db{ending}").unlink(missing_ok=True)
        (root / "galloway.db").write_bytes(kept)


def _listed(root: Path) -> int:
    """What commands say of it, in this process; RuntimeError for an exit code that means nothing."""
    from contextlib import redirect_stderr, redirect_stdout

    from galloway.pipeline.cli.main import main

    out = io.StringIO()
    for line in (["source", "list"], ["status"], ["person", "list"], ["batch", "list"]):
        try:
            with redirect_stdout(out), redirect_stderr(out):
                main(["-w", str(root), *line])
        except SystemExit as end:
            if end.code not in (0, 1, 3, 4):
                raise RuntimeError(f"{line}: exit code {end.code}") from None
    return 0


@contextmanager
def _market(folder: Path) -> Iterator[tuple[int, ...]]:
    with RunningMarketplace(MarketConfig(state_dir=folder)) as running:
        yield tuple(int(getattr(running.addresses, name).rpartition(":")[2]) for name in ("api", "worker", "frames"))


def http(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """Requests as no browser sends them: two lengths, smuggled second requests, folded and endless headers."""
    second = b"GET /operator/ HTTP/1.1\r\nHost: x\r\n\r\n"
    shapes: tuple[bytes, ...] = (
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + second,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n" + second,
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab\r\n",
        b"GET /sign-in?next=/\\evil.example HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /sign-in?next=/%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 300_000 + b"\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\0",
        b"GET /\xff\xfe\0 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        b"GET / HTTP/1.1\nHost: x\n\tfolded: y\n\n",
    )
    with _market(folder / "http-market") as ports:
        for _ in range(count):
            data, port = rng.choice(shapes), rng.choice(ports)
            tally.attempt("http", lambda data=data, port=port: _sent(port, data), _well_answered)


def _sent(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=3) as line:
        found = b""
        try:
            line.sendall(data)
            with suppress(OSError):  # it may have been refused and closed before its end
                line.shutdown(socket.SHUT_WR)
            while part := line.recv(65536):
                found += part
        except (ConnectionError, TimeoutError):
            pass
        return found


def _well_answered(answer: bytes) -> bool:
    """No fault of ours, no page of the operator by a smuggled request, no header or address that a stranger wrote."""
    status = answer.split(b"\r\n", 1)[0]
    head = answer.split(b"\r\n\r\n", 1)[0].lower()
    told = b" 500 " in status or b"set-cookie: a=b" in head or b"location: /\\" in head or b"location: //" in head
    return not told and b"Operator token" not in answer and b"Traceback" not in answer


def slow(tally: Tally, folder: Path, lines: int = 150) -> None:
    """So many connections that say half a request and wait: others are served all the same."""
    with _market(folder / "slow-market") as ports:
        held = []
        for _ in range(lines):
            line = socket.create_connection(("127.0.0.1", ports[1]), timeout=5)
            line.sendall(b"POST /sign-in HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nname=")
            held.append(line)
        tally.attempt(
            "http", lambda: _sent(ports[1], b"GET /sign-in HTTP/1.0\r\n\r\n"), lambda answer: b"200 OK" in answer[:40]
        )
        for line in held:
            line.close()
