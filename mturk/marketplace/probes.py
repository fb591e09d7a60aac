"""What watches a server: `/healthz` on every part, `/metrics` in Prometheus' text format beside the API.

Numbers only: no id, no name and no address of anybody is in them. Metrics are for the network that the server stands
in: what came through a proxy, or from a public address, is told that there is no such page.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from .rules.notifications import public_address
from .store import Store, Tx, servers
from .store.outage import AWAY
from .store.tables import assignment, hit, outbox, worker

__all__ = ["Probes"]

WsgiApp = Callable[..., Any]
_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COUNTED = (
    ("galloway_hits", "HITs by status.", "status", hit.c.status),
    ("galloway_assignments", "Assignments by state.", "state", assignment.c.state),
    ("galloway_notifications", "Notifications that wait or failed, by state.", "state", outbox.c.state),
)
_ANYTHING = sa.select(sa.literal(1).label("one"))
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_X_REAL_IP", "HTTP_FORWARDED")


class Probes:
    """Counts the requests of one server, and answers who watches it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._answers: Counter[tuple[str, str]] = Counter()
        self._slower: Counter[tuple[str, float]] = Counter()
        self._seconds: Counter[str] = Counter()

    def watch(self, part: str, app: WsgiApp) -> WsgiApp:
        """The app of a part (`api`, `worker`, `frames`) with its requests counted and the probes' pages before it."""

        def watched(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            page = self._page(part, environ)
            if page is not None:
                status, kind, text = page
                start_response(status, [("Content-Type", kind), ("Cache-Control", "no-store")])
                return [text.encode()]
            told: list[str] = []

            def noting(status: str, *rest: Any) -> Any:
                told.append(status)
                return start_response(status, *rest)

            begun = time.perf_counter()
            try:
                return app(environ, noting)  # type: ignore[no-any-return]
            finally:
                self._count(part, told[-1] if told else "500", time.perf_counter() - begun)

        return watched

    def _count(self, part: str, status: str, seconds: float) -> None:
        with self._lock:
            self._answers[part, f"{status[:1]}xx"] += 1
            self._seconds[part] += seconds  # type: ignore[assignment]
            for bound in _BOUNDS:
                self._slower[part, bound] += seconds <= bound

    def _page(self, part: str, environ: dict[str, Any]) -> tuple[str, str, str] | None:
        path = environ.get("PATH_INFO", "")
        if environ.get("REQUEST_METHOD") not in ("GET", "HEAD"):
            return None
        if path == "/healthz":
            return self._health()
        if path == "/metrics" and part == "api":
            inside = not any(name in environ for name in _FORWARDED)
            if inside and not public_address(environ.get("REMOTE_ADDR", "127.0.0.1")):
                return "200 OK", "text/plain; version=0.0.4; charset=utf-8", self.metrics()
            return "404 Not Found", "text/plain; charset=utf-8", "There is no such page.\n"
        return None

    def _health(self) -> tuple[str, str, str]:
        """Whether this server can do its work: the database answers."""
        try:
            self._store.look(_ANYTHING, {})
        except AWAY as error:
            self._store.outage.note(error)
            told = {"status": "unavailable", "database": "does not answer"}
            return "503 Service Unavailable", "application/json", json.dumps(told) + "\n"
        told = {"status": "ok", "database": self._store.engine.dialect.name}
        return "200 OK", "application/json", json.dumps(told) + "\n"

    def metrics(self) -> str:
        """What there is to tell just now, in Prometheus' text format 0.0.4."""
        lines = [*self._requests()]
        try:
            with self._store.read() as tx:
                lines += ["# TYPE galloway_database_up gauge", "galloway_database_up 1", *_of_database(tx)]
        except AWAY as error:
            self._store.outage.note(error)
            lines += ["# TYPE galloway_database_up gauge", "galloway_database_up 0"]
        return "\n".join(lines) + "\n"

    def _requests(self) -> Iterator[str]:
        with self._lock:
            answers, slower, seconds = Counter(self._answers), Counter(self._slower), dict(self._seconds)
        yield "# HELP galloway_requests_total Requests by part and class of status."
        yield "# TYPE galloway_requests_total counter"
        for (part, status), count in sorted(answers.items()):
            yield f'galloway_requests_total{{part="{part}",status="{status}"}} {count}'
        yield "# HELP galloway_request_seconds How long answers took."
        yield "# TYPE galloway_request_seconds histogram"
        for part in sorted(seconds):
            total = sum(count for (name, _), count in answers.items() if name == part)
            for bound in _BOUNDS:
                yield f'galloway_request_seconds_bucket{{part="{part}",le="{bound}"}} {slower[part, bound]}'
            yield f'galloway_request_seconds_bucket{{part="{part}",le="+Inf"}} {total}'
            yield f'galloway_request_seconds_sum{{part="{part}"}} {seconds[part]:.6f}'
            yield f'galloway_request_seconds_count{{part="{part}"}} {total}'


def _of_database(tx: Tx) -> Iterator[str]:
    for name, words, label, column in _COUNTED:
        yield f"# HELP {name} {words}"
        yield f"# TYPE {name} gauge"
        found = tx.conn.execute(sa.select(column, sa.func.count()).group_by(column).order_by(column))
        for value, count in found:
            yield f'{name}{{{label}="{value}"}} {count}'
    open_accounts = sa.select(sa.func.count()).select_from(worker).where(worker.c.left_at.is_(None))
    yield "# HELP galloway_workers Worker accounts that are open."
    yield "# TYPE galloway_workers gauge"
    yield f"galloway_workers {tx.conn.scalar(open_accounts)}"
    yield "# HELP galloway_servers Servers that answer for this marketplace."
    yield "# TYPE galloway_servers gauge"
    yield f"galloway_servers {len(servers.alive(tx))}"
