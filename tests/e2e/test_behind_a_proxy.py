"""What the world reads where somebody leads a public address to this machine with a proxy's defaults."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

import pytest
from galloway.curation.types import Side
from galloway.mturk.marketplace.config import MarketConfig
from galloway.mturk.marketplace.serve import RunningMarketplace
from galloway.mturk.requester.hosting import LocalHosting
from galloway.pipeline.app import App
from galloway.pipeline.market.pictures import IMAGE_PATH, face_key, hosting_secret
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.team import Role, add_member

from tests.support.proxy import proxied
from tests.support.web import face_id, full_workspace

PUBLIC = {"Host": "faces.example", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return full_workspace(tmp_path_factory.mktemp("proxy") / "ws", faces=4)


@contextmanager
def served(workspace: Workspace, *options: str) -> Iterator[str]:
    command = [sys.executable, "-m", "galloway", "-w", str(workspace.root), "serve", "--port", "0", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def ask(url: str, method: str = "GET", data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    request = Request(url, data, {**PUBLIC, "Accept": "application/json", **headers}, method=method)
    try:
        with urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def test_the_requesters_pages_stay_shut(workspace: Workspace) -> None:
    before = App(workspace).store.count_votes()
    with served(workspace) as link, proxied(urlsplit(link).port or 0) as public:
        for path in (
            "/",
            "/faces",
            "/api/faces",
            "/api/batches",
            "/publish",
            "/workers",
            f"/pictures/{face_id(Side.A, 0)}",
        ):
            status, body = ask(public + path)
            assert status == 401, path
            assert b"face_id" not in body and b"trial" not in body
        form = b"answer=keep&by=Mallory&note=x&yes=yes&side=a&pay=yes"
        for path in (f"/faces/{face_id(Side.A, 0)}", "/publish", "/collect", "/merge", "/people/open"):
            status, _ = ask(public + path, "POST", form, **{"Content-Type": "application/x-www-form-urlencoded"})
            assert status == 401, path
        token = link.partition("token=")[2]
        status, body = ask(f"{public}/api/status", Authorization=f"Bearer {token}")
        assert (status, json.loads(body)["workspace"]) == (200, "trial"), "who has the token comes in, by any way"
    assert App(workspace).store.count_votes() == before


def test_the_pictures_listener_knows_pictures_only(workspace: Workspace) -> None:
    with served(workspace, "--pictures") as address, proxied(urlsplit(address).port or 0) as public:
        hosting = LocalHosting(hosting_secret(workspace.root), public + IMAGE_PATH)
        link = hosting.url(face_key(face_id(Side.A, 0)), timedelta(hours=1))
        status, body = ask(link)
        assert (status, body[:3]) == (200, b"\xff\xd8\xff")
        for path in ("/", "/faces", "/api/faces", "/static/site.css", "/images/", "/images/../galloway.toml"):
            assert ask(public + path)[0] == 404, path


def test_the_market_stays_shut_to_who_has_no_key_and_no_account(tmp_path: Path) -> None:
    with RunningMarketplace(MarketConfig(state_dir=tmp_path / "market")) as running:
        api, worker, frames = (urlsplit(item).port or 0 for item in origins(running.addresses))
        with proxied(api) as public:
            target = {"X-Amz-Target": "MTurkRequesterServiceV20170117.GetAccountBalance"}
            status, body = ask(public, "POST", b"{}", **{"Content-Type": "application/x-amz-json-1.1", **target})
            assert status in (400, 403) and b"Balance" not in body
        with proxied(worker) as public:
            assert ask(f"{public}/operator/")[0] == 403
            assert ask(f"{public}/operator/invite", "POST", b"uses=9")[0] == 403
            assert ask(f"{public}/operator/enter?token=guess")[0] == 403
        with proxied(frames) as public:
            assert ask(f"{public}/operator/")[0] == 404


def origins(addresses: object) -> tuple[str, str, str]:
    return tuple(getattr(addresses, name) for name in ("api", "worker", "frames"))  # type: ignore[return-value]


def test_a_team_of_three_signs_in_from_the_network(tmp_path: Path) -> None:
    """As they come: by the machine's name in the network, with a password each, to look, to decide, to spend."""
    workspace = full_workspace(tmp_path / "team", faces=4)
    for role in Role:
        add_member(workspace.root, role.word, role, f"{role.word}: a long password")
    expected = {"look": (200, 403, 403), "decide": (200, 400, 403), "spend": (200, 400, 400)}
    with served(workspace, "--host", "0.0.0.0") as link:
        base = link.partition("/?token=")[0]
        for name, wanted in expected.items():
            form = urlencode({"name": name, "password": f"{name}: a long password"}).encode()
            opener = build_opener(HTTPCookieProcessor())
            with opener.open(Request(f"{base}/sign-in", form, PUBLIC), timeout=20) as answer:
                assert answer.status == 200
            found = []
            for path, data in (("/faces", None), ("/faces", b"x=1"), ("/publish", b"x=1")):
                try:
                    with opener.open(Request(base + path, data, PUBLIC), timeout=20) as answer:
                        found.append(answer.status)
                except HTTPError as refused:
                    with refused:
                        found.append(refused.code)
            assert tuple(found) == wanted, name
        assert ask(f"{base}/api/faces")[0] == 401
