"""`/healthz` before every door: whether the workspace's database can be read, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any

from ..workspace.folder import Workspace

__all__ = ["with_health"]

WsgiApp = Callable[..., Any]


def with_health(site: WsgiApp, workspace: Workspace) -> WsgiApp:
    """The site, with a page for whoever watches the server: 200 while its database can be read, else 503."""

    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/healthz" or environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return site(environ, start_response)  # type: ignore[no-any-return]
        if workspace.database_answers():
            status, told = "200 OK", {"status": "ok", "database": workspace.db.dialect.name}
        else:
            status, told = "503 Service Unavailable", {"status": "unavailable", "database": "cannot be read"}
        start_response(status, [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
        return [json.dumps(told).encode() + b"\n"]

    return app
