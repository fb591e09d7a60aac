"""Hostile inputs: pictures, paths, settings, redirects, words, strangers at the pages, markets that answer nonsense."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
from galloway.curation.pictures import open_picture
from galloway.mturk.marketplace.pages.guards import local_path
from galloway.mturk.marketplace.rules.lookalike import skeleton
from galloway.pipeline.web import Door, create_web_app
from galloway.pipeline.wording import one_line, printable
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.settings import load_settings
from galloway.pipeline.workspace.state import read_state
from PIL import Image
from werkzeug.routing import IntegerConverter

from tests.support.mturk import FakeMarket, in_process_client

from .tally import Tally

CATEGORIES = frozenset(
    {"pictures", "paths", "settings", "state files", "redirects", "terminal", "names", "strangers", "markets"}
)
"""The categories that count as inputs."""
HEADS = (
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n{ } loop\n",
    b"\xc5\xd0\xd3\xc6" + bytes(60), b"\xd7\xcd\xc6\x9a" + bytes(60), b"8BPS\x00\x01" + bytes(60), b"%PDF-1.7\n",
    b"GIF89a" + bytes(20), b"<svg/>", b"ffconcat version 1.0\n", b"#EXTM3U\nx", b"\x00\x00\x01\x00" + bytes(40),
    b"SIMPLE  =  T" + bytes(99), b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"RIFF\xff\xff\xff\xffWEBP",
    b"BM",
)  # fmt: skip


def pictures(tally: Tally, rng: random.Random, count: int) -> None:
    """Other formats under a picture's name, and pictures with bytes changed, cut off and glued together."""
    whole = []
    for form in ("PNG", "JPEG", "WEBP", "BMP", "TIFF"):
        out = io.BytesIO()
        Image.fromarray(np.random.default_rng(1).integers(0, 255, (24, 24, 3), np.uint8)).save(out, form)
        whole.append(out.getvalue())
    for number in range(count):
        data = bytearray(HEADS[number % len(HEADS)] if number % 3 == 0 else rng.choice(whole))
        for _ in range(rng.randrange(12)):
            if data:
                data[rng.randrange(min(len(data), 300))] = rng.randrange(256)
        made = bytes(data[: rng.randrange(len(data) + 1)]) if number % 4 == 1 else bytes(data) + rng.choice(HEADS)
        tally.attempt("pictures", lambda made=made: open_picture(made, name="x.jpg", pixels=1 << 20))


def paths(tally: Tally, rng: random.Random, count: int, workspace: Workspace) -> None:
    """Names out of rows and files that would lead out of the workspace."""
    parts = ("..", ".", "a", "/", "//", "\\", "C:", "~", "\x00", "%2e%2e", "sources", "", "\n", "link")
    link = workspace.root / "link"
    link.symlink_to(workspace.root.parent)
    for _ in range(count):
        text = rng.choice(("", "/")) + "/".join(rng.choices(parts, k=rng.randrange(1, 6)))
        tally.attempt("paths", lambda text=text: workspace.inside(text).resolve(), _below(workspace.root))
    link.unlink()


def _below(root: Path) -> Callable[[Path], bool]:
    return lambda path: path.is_relative_to(root)


def texts(tally: Tally, rng: random.Random, count: int, folder: Path) -> None:
    """Settings and state files: not UTF-8, cut, nested, of other kinds, with absurd numbers."""
    values = ("-1", "0", "1e400", "nan", "70000", '"x"', "[]", "{}", "true", "9" * 60, '"\\u0000"', "[" * 3000)
    keys = (
        "market.port",
        "market.fee_percent",
        "ask.reward",
        "ask.budget",
        "ask.votes",
        "ask.lifetime_hours",
        "engine",
        "x",
    )
    for number in range(count):
        section, _, key = rng.choice(keys).rpartition(".")
        toml = f"{f'[{section}]' if section else ''}\n{key} = {rng.choice(values)}\n".encode()
        if number % 5 == 0:
            toml = toml[: rng.randrange(len(toml))] + bytes([rng.randrange(256)])
        (folder / "galloway.toml").write_bytes(toml)
        tally.attempt("settings", lambda: load_settings(folder / "galloway.toml"))
        state = rng.choice((b"[]", b"null", b"{", b"\xff\xfe", b"[" * 90_000, b'{"a": 1}', b"", b"17", b'"x"'))
        (folder / "state.json").write_bytes(state + bytes(rng.randrange(2)))
        tally.attempt("state files", lambda: read_state(folder / "state.json", "Delete it.", needs=("a",)))


def addresses(tally: Tally, rng: random.Random, count: int) -> None:
    """Where a sign-in may lead: read as a browser reads it, it stays on this site."""
    pieces = (
        "/",
        "\\",
        "\t",
        "\n",
        "\r",
        "//",
        "evil.example",
        "@",
        ":",
        "https:",
        "%09",
        " ",
        "\x00",
        "a",
        "?",
        "#",
        ".",
    )

    def stays(path: str) -> bool:
        read = "".join(letter for letter in path if letter not in "\t\n\r").replace("\\", "/")
        return read.startswith("/") and not read.startswith("//")

    for _ in range(count):
        text = "".join(rng.choices(pieces, k=rng.randrange(1, 7)))
        tally.attempt("redirects", lambda text=text: local_path(text), stays)


def words(tally: Tally, rng: random.Random, count: int) -> None:
    """Comments and names with controls, directions and letters that look like others."""
    letters = [
        chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x200B, 0xFEFF, 0x2028, 0x41, 0x430)
    ]
    for _ in range(count):
        text = "".join(rng.choices(letters, k=20))
        tally.attempt("terminal", lambda text=text: one_line(text), str.isprintable)
        tally.attempt(
            "terminal", lambda text=text: printable(text), lambda said: "\x1b" not in said and "\r" not in said
        )
        name = "".join(rng.choices("annlee", k=6))
        forged = name.translate(str.maketrans("ane", "\u0430\u0578\u0435"))
        tally.attempt("names", lambda n=name, f=forged: (skeleton(n), skeleton(f)), lambda pair: pair[0] == pair[1])


def strangers(tally: Tally, rng: random.Random, count: int, workspace: Workspace) -> None:
    """Requests to every page without the token, as a proxy with nginx's defaults and others pass them on."""
    site = create_web_app(workspace, door=Door(workspace.root))
    client = site.test_client()
    ways = (
        {},
        {"X-Forwarded-For": "203.0.113.9"},
        {"Via": "1.1 x"},
        {"Authorization": "Bearer x"},
        {"Cookie": "galloway=x"},
    )
    rules = [
        rule for rule in site.url_map.iter_rules() if rule.endpoint not in ("static", "door.sign_in", "door.enter")
    ]
    for _ in range(count):
        rule = rng.choice(rules)
        with site.test_request_context():
            # The rule's own converters say which of its arguments are numbers.
            numbers = {name for name, kind in rule._converters.items() if isinstance(kind, IntegerConverter)}
            built = rule.build({name: 1 if name in numbers else "a" for name in rule.arguments}, append_unknown=False)
            path = built[1]
        method = rng.choice(sorted((rule.methods or set()) & {"GET", "POST"}))
        tally.attempt(
            "strangers",
            lambda path=path, method=method: client.open(path, method=method, headers=dict(rng.choice(ways))),
            lambda answer: answer.status_code in (303, 401) and workspace.settings.name not in answer.text,
        )


SHAPES = (
    b"", b"{}", b"[]", b"null", b"17", b'{"HITs": [{"HITI', b"\xff\xfe", b"<html>Hotel Wi-Fi</html>", b"[" * 60_000,
    b'{"HITs": 3, "HIT": [], "AvailableBalance": {}}', b'{"HITs": [1, null], "HIT": 4, "AvailableBalance": "much"}',
)  # fmt: skip


def markets(tally: Tally, rng: random.Random, count: int) -> None:
    """Answers of another shape than the API's, with many a status."""
    told: list[tuple[int, bytes]] = []
    client = in_process_client(FakeMarket(), respond=lambda: told[-1])
    calls = (client.balance, lambda: list(client.list_hits()), lambda: client.get_hit("3X"))
    for _ in range(count):
        told.append((rng.choice((200, 200, 302, 403, 404, 500)), rng.choice(SHAPES) + bytes(rng.randrange(2))))
        tally.attempt("markets", rng.choice(calls), lambda _: False)
