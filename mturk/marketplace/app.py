"""The composition root: one marketplace from one config, as three WSGI apps."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import sqlalchemy as sa

from .config import Addresses, MarketConfig
from .courier import Courier
from .desk.work import Work
from .errors import OperatorError
from .lifecycle import clockwork, reviews
from .office.operator import Operator
from .stamps import new_access_key, new_customer_id, new_secret, new_token
from .store import Store, one, servers
from .store.outage import AWAY
from .store.sealed import seal
from .store.tables import access_key, requester
from .wire import Wire

__all__ = ["Addresses", "MarketConfig", "Marketplace", "WsgiApp", "add_requester", "open_store"]

WsgiApp = Callable[..., Any]


def open_store(config: MarketConfig) -> Store:
    """The marketplace's database, made or migrated, with its clock wound up. Close it when done."""
    return Store(config, due=clockwork.DUE, advance=clockwork.advance, policies=reviews)


def add_requester(store: Store, name: str) -> tuple[str, str]:
    """(access key, secret key) of a new requester. OperatorError if the name is taken."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 100:
        raise OperatorError("A requester's name has 1 to 100 characters.")
    with store.write() as tx:
        if one(tx, sa.select(requester.c.seq).where(requester.c.name == name)) is not None:
            raise OperatorError(f"There is a requester {name!r} already. See: galloway market requester list")
        requester_id = new_customer_id()
        tx.conn.execute(requester.insert().values(id=requester_id, name=name, created_at=tx.now))
        key, secret = new_access_key(), new_secret()
        stored = seal(tx.key, key, secret)
        tx.conn.execute(
            access_key.insert().values(access_key=key, requester_id=requester_id, secret=stored, created_at=tx.now)
        )
    return key, secret


class Marketplace:
    """One running marketplace: `api_wsgi`, `worker_wsgi` and `frame_wsgi`, over one store.

    The ports in `config` must be the real ones: frame links carry them.
    """

    def __init__(self, config: MarketConfig) -> None:
        self.store = open_store(config)
        self.config = self.store.config  # which knows whether accounts are kept here
        self.work = Work(self.store)
        self.operator = Operator(self.store)
        self.courier = Courier(self.store)
        self.api_wsgi: WsgiApp = Wire(self.store, self.courier)
        self._worker: WsgiApp | None = None
        self._frames: WsgiApp | None = None
        self.server_id = new_token()[:16]
        self._renewed = 0.0
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None

    @property
    def worker_wsgi(self) -> WsgiApp:
        """The worker site; made on first use, so that the API needs no web framework."""
        if self._worker is None:
            from .pages import create_worker_app

            self._worker = create_worker_app(self.work, self.config, self.operator)
        return self._worker

    @property
    def frame_wsgi(self) -> WsgiApp:
        """The frame origin, for requesters' pages and externalSubmit."""
        if self._frames is None:
            from .pages import create_frame_app

            self._frames = create_frame_app(self.work, self.config)
        return self._frames

    def tick(self) -> None:
        """Do what is due by the clock, and send what is due."""
        with self.store.read():
            pass
        self.courier.deliver()
        if self._renewed and time.monotonic() - self._renewed > servers.SEEN_MS / 3000:
            with self.store.write() as tx:
                servers.renew(tx, self.server_id)
            self._renewed = time.monotonic()

    def enlist(self) -> None:
        """Note in the database that this server answers at its addresses; `close` takes that back."""
        self.operator.share_token()
        with self.store.write() as tx:
            addresses, about = self.config.addresses, (socket.gethostname(), os.getpid())
            servers.enlist(tx, servers.Server(self.server_id, *about, addresses, tx.now))
        self._renewed = time.monotonic()

    def start_ticker(self, seconds: float = 1.0) -> None:
        """Tick in the background until `close`."""
        if self._ticker is None:
            self._ticker = threading.Thread(target=self._run, args=(seconds,), name="marketplace-ticker", daemon=True)
            self._ticker.start()

    def _run(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            try:
                self.tick()
            except AWAY as error:
                self.store.outage.note(error)

    def close(self) -> None:
        """Stop the ticker and close the database."""
        self._stop.set()
        if self._ticker is not None:
            self._ticker.join()
        if self._renewed:
            with suppress(*AWAY), self.store.write() as tx:  # else it is gone when it was not seen for a while
                servers.leave(tx, self.server_id)
        self.store.close()
