"""The embedded marketplace of a workspace: started where none is running, found where one is."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ...curation.files import write_atomic, write_once
from ...mturk.marketplace.config import Addresses, MarketConfig
from ...mturk.requester.hosting import LocalHosting
from ..errors import StageError
from ..workspace.acts import note_act
from ..workspace.folder import Workspace
from ..workspace.place import check_place, folder_mark
from ..workspace.state import forget_own, json_object
from .pictures import IMAGE_PATH, hosting_secret, image_app

__all__ = ["RunningMarket", "local_config", "local_keys", "running_market", "serve_market"]

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class RunningMarket:
    """The embedded marketplace of a workspace while it answers."""

    workspace: Workspace
    addresses: Addresses

    def invite(self, note: str, uses: int) -> str:
        """A sign-up link for `uses` people."""
        from ...mturk.marketplace.app import open_store
        from ...mturk.marketplace.desk.work import Work

        store = open_store(local_config(self.workspace))
        try:
            made = Work(store).invite(note=note, uses=uses)
            note_act(self.workspace, "invite", "a link to join", f"{uses} people")
            return f"{self.addresses.worker}/join/{made.token}"
        finally:
            store.close()


@contextmanager
def serve_market(workspace: Workspace, config: MarketConfig | None = None) -> Iterator[RunningMarket]:
    """The workspace's embedded marketplace: the one that runs already, else one that lives as long as this context.

    `config` changes how it is started; the default is `local_config`.
    """
    check_place(workspace.root)
    found = running_market(workspace)
    if found is not None:
        yield RunningMarket(workspace, found)
        return
    with _started(workspace, config or local_config(workspace)) as addresses:
        yield RunningMarket(workspace, addresses)


def running_market(workspace: Workspace) -> Addresses | None:
    """Where this workspace's marketplace answers just now, or None. A stale record of a killed one is ignored.

    Whatever the record names, only this machine is asked, without proxies or redirects, and only an answer that proves
    to be this workspace's own counts.
    """
    try:
        record = json_object(_record_path(workspace).read_bytes()) or {}
        api, frames, worker = (
            urlsplit(str(record["api"])),
            urlsplit(str(record["frames"])),
            urlsplit(str(record["worker"])),
        )
        good = api.scheme == frames.scheme == "http" and worker.scheme in ("http", "https")
        if not good or not api.port or not frames.port or not (_is_here(api.hostname) and _is_here(frames.hostname)):
            return None
    except (OSError, ValueError, KeyError):
        return None
    if not _answers(frames.hostname or "", frames.port, _identity(workspace)):
        return None
    return Addresses(*(f"{part.scheme}://{part.netloc}" for part in (api, worker, frames)))


def _is_here(host: str | None) -> bool:
    """Whether an address is this machine's own: a socket can be bound to it. Other names than localhost are not."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host or "")
        if address.is_loopback:
            return True
        with socket.socket(socket.AF_INET6 if address.version == 6 else socket.AF_INET, socket.SOCK_DGRAM) as tried:
            tried.bind((str(address), 0))
        return True
    except (ValueError, OSError):
        return False


def _answers(host: str, port: int, identity: str) -> bool:
    asked = HTTPConnection(host, port, timeout=2)
    try:
        asked.request("GET", f"{IMAGE_PATH}/who")
        answer = asked.getresponse()
        answer.read(1024)
        return answer.status == 404 and answer.headers.get("X-Galloway-Workspace") == identity
    except (OSError, HTTPException):
        return False
    finally:
        asked.close()


def local_config(workspace: Workspace) -> MarketConfig:
    """The embedded marketplace's config, without ports."""
    settings = workspace.settings.market
    return MarketConfig(
        state_dir=workspace.root / "market",
        database_url=settings.database,
        host=settings.host,
        fee_percent=settings.fee_percent,
        currency=settings.currency,
        name=workspace.settings.name,
    )


@contextmanager
def _started(workspace: Workspace, config: MarketConfig) -> Iterator[Addresses]:
    from ...mturk.marketplace.serve import RunningMarketplace

    config.state_dir.mkdir(parents=True, exist_ok=True)
    api, worker, frames = _free_ports(workspace, config.host)
    config = replace(
        config,
        api_port=config.api_port or api,
        worker_port=config.worker_port or worker,
        frame_port=config.frame_port or frames,
    )
    pictures = image_app(workspace, LocalHosting(hosting_secret(workspace.root), IMAGE_PATH))
    identity = _identity(workspace)
    with RunningMarketplace(config, wrap_frames=lambda app: _with_pictures(app, pictures, identity)) as running:
        _write_record(workspace, running.market.config)
        try:
            yield running.addresses
        finally:
            forget_own(_record_path(workspace))


def _with_pictures(frames: WsgiApp, pictures: WsgiApp, identity: str) -> WsgiApp:
    """The frame origin with the workspace's pictures under IMAGE_PATH."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO", "").startswith(f"{IMAGE_PATH}/"):

            def named(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
                return start_response(status, [*headers, ("X-Galloway-Workspace", identity)], *rest)

            return pictures(environ, named)
        return frames(environ, start_response)

    return app


def _free_ports(workspace: Workspace, host: str) -> list[int]:
    """Three ports: those of last time where they are free, so that links stay good."""
    held = []
    try:
        for port in _wanted_ports(workspace):
            item = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
            held.append(item)
            item.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                item.bind((host, port))
            except OSError:
                item.bind((host, 0))
        ports = [int(item.getsockname()[1]) for item in held]
    finally:
        for item in held:
            item.close()
    write_atomic(_ports_path(workspace), json.dumps(ports), durable=False)
    return ports


def _wanted_ports(workspace: Workspace) -> list[int]:
    try:
        ports = [port for port in json.loads(_ports_path(workspace).read_bytes()) if 0 <= int(port) <= 65535]
    except (OSError, ValueError, TypeError, RecursionError):
        ports = [0, 0, 0]
    ports = [*ports, 0, 0, 0][:3]
    if workspace.settings.market.port:
        ports[1] = workspace.settings.market.port
    return ports


def local_keys(workspace: Workspace) -> tuple[str, str]:
    """The workspace's own requester on its marketplace; made once."""
    path = workspace.root / "market" / "requester.json"
    if not path.is_file():
        access, secret = _new_requester(workspace)
        write_once(path, json.dumps({"access_key": access, "secret_key": secret}))
    try:
        record = json_object(path.read_bytes()) or {}
        return str(record["access_key"]), str(record["secret_key"])
    except KeyError as error:
        raise StageError(
            f"{path} holds no requester's keys ({error}). Put it back from a copy; without one, move it away: the next "
            "command makes a new requester, who cannot see what the old one published."
        ) from error


def _new_requester(workspace: Workspace) -> tuple[str, str]:
    from ...mturk.marketplace.app import add_requester, open_store
    from ...mturk.marketplace.errors import OperatorError

    store = open_store(local_config(workspace))
    try:
        return add_requester(store, workspace.settings.name)
    except OperatorError:
        # A run that was killed after making the requester left no keys; nothing was published with it.
        return add_requester(store, f"{workspace.settings.name} {secrets.token_hex(3)}")
    finally:
        store.close()


def _identity(workspace: Workspace) -> str:
    """Tells one workspace's marketplace from another's on the same port, a copy's too, without telling the secret."""
    mark = folder_mark(workspace.root).encode()
    return hashlib.sha256(b"workspace" + hosting_secret(workspace.root) + mark).hexdigest()[:16]


def _write_record(workspace: Workspace, config: MarketConfig) -> None:
    """Note where it answers on this machine, and the workers' public address."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)
    here = replace(config, host=host, api_url="", frame_url="").addresses
    worker = config.worker_url or here.worker
    record = {"api": here.api, "worker": worker, "frames": here.frames, "pid": os.getpid()}
    write_atomic(_record_path(workspace), json.dumps(record), durable=False)


def _record_path(workspace: Workspace) -> Path:
    return workspace.root / "market" / "running.json"


def _ports_path(workspace: Workspace) -> Path:
    return workspace.root / "market" / "ports.json"
