"""Run a marketplace under waitress: API, worker site and frame origin, each on its own port."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading
from collections.abc import Callable
from typing import Any

from .answering import GRACE_SECONDS, answer, asked_to_stop
from .app import Marketplace, WsgiApp
from .config import Addresses, MarketConfig
from .origins import with_origins
from .probes import Probes

__all__ = ["RunningMarketplace", "serve"]

_THREADS = 8


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((host, port))
    return bound


class RunningMarketplace:
    """A marketplace that answers in background threads. Use as a context manager or call `close`.

    Raises OperatorError for public addresses that cannot work.
    """

    def __init__(
        self, config: MarketConfig, *, threads: int = _THREADS, wrap_frames: Callable[[WsgiApp], WsgiApp] | None = None
    ) -> None:
        from waitress.server import create_server

        config = with_origins(config)
        sockets = [_bind(config.host, port) for port in (config.api_port, config.worker_port, config.frame_port)]
        api, worker, frames = (bound.getsockname()[1] for bound in sockets)
        config = dataclasses.replace(config, api_port=api, worker_port=worker, frame_port=frames)
        self.market: Marketplace = Marketplace(config)
        self.addresses: Addresses = config.addresses
        frame_app = self.market.frame_wsgi
        # Whoever runs the marketplace may answer some paths of the frame origin itself, such as the HITs' pictures.
        frame_app = wrap_frames(frame_app) if wrap_frames else frame_app
        probes = Probes(self.market.store)
        apps = (
            probes.watch("api", self.market.api_wsgi),
            probes.watch("worker", self.market.worker_wsgi),
            probes.watch("frames", frame_app),
        )
        maps: list[dict[int, Any]] = [{}, {}, {}]
        self._servers: list[Any] = [
            create_server(
                app,
                map=table,
                sockets=[bound],
                threads=threads,
                ident="galloway",
                max_request_body_size=4 * 1024 * 1024,
                channel_timeout=60,
                # What a proxy says of who asks is read where a public address tells that there is one (worker site),
                # and tells the metrics to keep quiet.
                clear_untrusted_proxy_headers=False,
                connection_limit=1000,
                asyncore_use_poll=True,
            )
            for app, bound, table in zip(apps, sockets, maps, strict=True)
        ]
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=answer, args=(table, self._stopping), name=f"marketplace-{name}", daemon=True)
            for table, name in zip(maps, ("api", "worker", "frames"), strict=True)
        ]
        for thread in self._threads:
            thread.start()
        self.market.enlist()
        self.market.start_ticker()

    def __enter__(self) -> RunningMarketplace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let nobody new in, finish what has begun for at most ten seconds, close the database."""
        self._stopping.set()
        for server in self._servers:
            with contextlib.suppress(OSError):  # its loop noticed by itself and closed the trigger
                server.pull_trigger()
        for thread in self._threads:
            thread.join(timeout=GRACE_SECONDS + 5)
        self.market.close()


def serve(
    config: MarketConfig,
    ready: Callable[[Addresses], None],
    *,
    wrap_frames: Callable[[WsgiApp], WsgiApp] | None = None,
) -> None:
    """Run until the process is interrupted or terminated; `ready` is called once the ports answer."""
    with RunningMarketplace(config, wrap_frames=wrap_frames) as running, asked_to_stop() as stopping:
        ready(running.addresses)
        stopping.wait()
