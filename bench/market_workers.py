"""Scripted workers who accept and submit over connections that stay open, and what they saw and how long it took."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from galloway.mturk.marketplace.app import open_store
from galloway.mturk.marketplace.desk.work import Work

from bench.market_server import Server

__all__ = ["Link", "Tally", "finish", "in_threads", "percentile", "work"]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Link:
    """One client's kept-open connection; `post` tries again until the server is back."""

    def __init__(self, port: int, headers: dict[str, str] | None = None) -> None:
        self.port, self.headers = port, headers or {}
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Link:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def post(self, path: str, fields: dict[str, str]) -> tuple[int, http.client.HTTPMessage, float]:
        """(status, headers, seconds of the try that was answered)."""
        body = urlencode(fields)
        while True:
            try:
                if self._connection is None:
                    self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
                started = time.perf_counter()
                self._connection.request("POST", path, body, {**FORM, **self.headers})
                answer = self._connection.getresponse()
                answer.read()
                return answer.status, answer.headers, time.perf_counter() - started
            except (OSError, http.client.HTTPException):
                self.close()
                time.sleep(0.05 + random.random() / 10)


@dataclass
class Tally:
    """What the scripted workers did and how long it took."""

    accepts: list[float] = field(default_factory=list)
    submits: list[float] = field(default_factory=list)
    acknowledged: dict[str, str] = field(default_factory=dict)
    refusals: dict[int, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def refuse(self, status: int) -> None:
        with self.lock:
            self.refusals[status] = self.refusals.get(status, 0) + 1


def work(server: Server, cookie: str, group: str, name: str, tally: Tally, wanted: int) -> None:
    """Accept and submit until the group has nothing more for this worker, or all is done."""
    with Link(server.worker, {"Cookie": cookie}) as site, Link(server.frames) as frames:
        answer_all(site, frames, group, name, tally, wanted)


def answer_all(site: Link, frames: Link, group: str, name: str, tally: Tally, wanted: int) -> None:
    """The loop of `work`."""
    while len(tally.acknowledged) < wanted:
        status, headers, seconds = site.post(f"/projects/{group}/accept", {})
        if status != 303:
            tally.refuse(status)
            if status in (404, 409):
                return
            continue
        assignment = headers["Location"].rstrip("/").rpartition("/")[2]
        answer = f"{name} {assignment}"
        sent, _, taken = frames.post("/mturk/externalSubmit", {"assignmentId": assignment, "face.k1": answer})
        if sent != 200:
            tally.refuse(sent)
            continue
        with tally.lock:
            tally.accepts.append(seconds)
            tally.submits.append(taken)
            tally.acknowledged[assignment] = answer


def finish(server: Server, cookies: list[str], group: str, tally: Tally, total: int) -> None:
    """Where a kill swallowed the answer to an accept, the worker still holds the HIT: hand it in, as a person would."""
    store = open_store(server.config)
    desk = Work(store)
    for place, cookie in enumerate(cookies):
        person = desk.worker_of(cookie.partition("=")[2])
        assert person is not None
        for held in desk.current(person.worker_id):
            answer = f"w{place} {held.assignment_id}"
            with Link(server.frames) as frames:
                frames.post("/mturk/externalSubmit", {"assignmentId": held.assignment_id, "face.k1": answer})
            tally.acknowledged[held.assignment_id] = answer
    store.close()
    for place, cookie in enumerate(cookies):
        if len(tally.acknowledged) >= total:
            break
        work(server, cookie, group, f"w{place}", tally, total)


def in_threads(jobs: list[Callable[[], None]]) -> float:
    """Run the jobs at the same time; the seconds it took."""
    threads = [threading.Thread(target=job) for job in jobs]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.perf_counter() - started


def percentile(values: list[float], share: float) -> float:
    """In milliseconds."""
    return round(1000 * sorted(values)[min(len(values) - 1, int(share * len(values)))], 1) if values else 0.0
