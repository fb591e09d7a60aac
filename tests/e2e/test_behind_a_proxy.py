"""What the world reads where somebody leads a public address to this machine with a proxy's defaults."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener, urlopen

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from galloway.curation.types import Side
from galloway.mturk.marketplace.app import add_requester, open_store
from galloway.mturk.marketplace.config import MarketConfig
from galloway.mturk.marketplace.serve import RunningMarketplace
from galloway.mturk.requester.hosting import LocalHosting
from galloway.pipeline.app import App
from galloway.pipeline.market.pictures import IMAGE_PATH, face_key, hosting_secret
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.team import Role, add_member

from tests.support.nginx import nginx
from tests.support.proxy import proxied
from tests.support.web import face_id, full_workspace

PUBLIC = {"Host": "faces.example", "Sec-Fetch-Site": "same-origin"}
PASSED_ON = (
    "proxy_set_header Host $http_host; proxy_set_header X-Real-IP $remote_addr; "
    "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; proxy_set_header X-Forwarded-Proto $scheme;"
)
"""Debian's proxy_params, with the port that it leaves out of the Host of late."""
Front = Callable[[int], AbstractContextManager[str]]


@pytest.fixture(
    params=[
        "a stand-in",
        pytest.param("nginx", marks=pytest.mark.nginx),
        pytest.param("nginx that passes the Host on", marks=pytest.mark.nginx),
    ]
)
def front(request: pytest.FixtureRequest) -> Front:
    """What stands in front, given the port behind it."""
    if request.param == "a stand-in":
        return proxied
    return partial(nginx, params=PASSED_ON if "passes" in request.param else "")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = full_workspace(tmp_path_factory.mktemp("proxy") / "ws", faces=4)
    with (made.root / "galloway.toml").open("a", encoding="utf-8") as config:
        config.write('[hosting]\npublic_url = "https://faces.example"\n')
    return Workspace.open(made.root)


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


def test_the_requesters_pages_stay_shut(workspace: Workspace, front: Front) -> None:
    before = App(workspace).store.count_votes()
    with served(workspace, "--name", "faces.example") as link, front(urlsplit(link).port or 0) as public:
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


def test_the_pictures_listener_knows_pictures_only(workspace: Workspace, front: Front) -> None:
    with served(workspace, "--pictures") as address, front(urlsplit(address).port or 0) as public:
        hosting = LocalHosting(hosting_secret(workspace.root), public + IMAGE_PATH)
        link = hosting.url(face_key(face_id(Side.A, 0)), timedelta(hours=1))
        status, body = ask(link)
        assert (status, body[:3]) == (200, b"\xff\xd8\xff")
        for path in ("/", "/faces", "/api/faces", "/static/site.css", "/images/", "/images/../galloway.toml"):
            assert ask(public + path)[0] == 404, path


@contextmanager
def market(state: Path, *options: str) -> Iterator[dict[str, str]]:
    """`galloway market serve` in a process of its own: where its parts answer, by the words that it prints."""
    command = [sys.executable, "-m", "galloway", "market", "--state", str(state), "serve", *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        lines = [process.stderr.readline() for _ in range(3)]
        yield {line[:14].strip(): line[14:].strip() for line in lines}
    finally:
        process.kill()
        process.communicate()


def test_the_market_stays_shut_to_who_has_no_key_and_no_account(tmp_path: Path, front: Front) -> None:
    with market(tmp_path / "market") as running, RunningMarketplace(MarketConfig(state_dir=tmp_path / "two")) as other:
        api, worker = (urlsplit(running[name]).port or 0 for name in ("API", "Worker site"))
        with front(api) as public:
            target = {"X-Amz-Target": "MTurkRequesterServiceV20170117.GetAccountBalance"}
            status, body = ask(public, "POST", b"{}", **{"Content-Type": "application/x-amz-json-1.1", **target})
            assert status in (400, 403) and b"Balance" not in body
        with front(worker) as public:
            for path in ("/operator/", "/operator/enter?token=guess", "/operator/enter?token="):
                assert ask(f"{public}{path}")[0] == 403, path
            for path in ("/operator/invite", "/operator/requesters", "/operator/erase"):
                assert ask(f"{public}{path}", "POST", b"uses=9&name=x")[0] in (403, 404, 405), path
            for path in ("/account", "/history", "/earnings", "/messages"):
                status, body = ask(f"{public}{path}")
                assert status in (200, 401, 403, 404) and b"worker_id" not in body, path
        with front(urlsplit(other.addresses.frames).port or 0) as public:
            assert ask(f"{public}/operator/")[0] == 404


def test_a_signature_that_a_proxy_broke_is_said_to_be_one(
    tmp_path: Path, front: Front, request: pytest.FixtureRequest
) -> None:
    """The Host is signed; nginx writes its own. With the public address named the signature is good all the same."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    config = MarketConfig(state_dir=tmp_path / "market")
    store = open_store(config)
    access, secret = add_requester(store, "Ada")
    store.close()

    def balance(url: str, secret: str = secret) -> str:
        keys = {"aws_access_key_id": access, "aws_secret_access_key": secret, "region_name": "us-east-1"}
        client = boto3.client("mturk", endpoint_url=url, config=Config(retries={"max_attempts": 0}), **keys)
        return str(client.get_account_balance()["AvailableBalance"])

    with front(port) as public:
        with market(config.state_dir, "--api-port", str(port)) as direct:
            assert balance(direct["API"]) == "10000.00"
            if "passes" in request.node.callspec.params["front"]:
                assert balance(public) == "10000.00"
            else:
                told = rf"arrived for the Host '127.0.0.1:{port}'.*a proxy on the way changed it.*proxy_set_header Host"
                with pytest.raises(ClientError, match=rf"{told}.*--api-url"):
                    balance(public)
        with market(config.state_dir, "--api-port", str(port), "--api-url", public):
            assert balance(public) == "10000.00"
            with pytest.raises(ClientError, match="does not match the signature"):
                balance(public, "another secret")


def test_a_team_of_four_signs_in_from_the_network(tmp_path: Path) -> None:
    """As they come: by the machine's name in the network, with a password each, to look, decide, spend, own."""
    workspace = full_workspace(tmp_path / "team", faces=4)
    for role in Role:
        add_member(workspace.root, role.word, role, f"{role.word}: a long password")
    expected = {"look": (200, 403, 403), "decide": (200, 400, 403), "spend": (200, 400, 400), "own": (200, 400, 400)}
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
