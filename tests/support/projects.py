"""Projects on the real command line and marketplace, and people who answer."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from galloway.mturk.marketplace.app import open_store
from galloway.mturk.marketplace.desk.work import Work
from galloway.pipeline.app import App
from galloway.pipeline.market.local import local_config, local_keys, serve_market

from tests.support.workspace import galloway

__all__ = ["answer", "done", "market"]


def done(app: App, *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    """The command's output; it has to end with `code`."""
    found = galloway(app, "project", *args)
    assert found.returncode == code, found.stderr
    return found


@contextmanager
def market(app: App) -> Iterator[Any]:
    """boto3 at the workspace's marketplace."""
    with serve_market(app.workspace) as running:
        key, secret = local_keys(app.workspace)
        yield boto3.client(
            "mturk",
            endpoint_url=running.addresses.api,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )


def answer(
    app: App,
    hits: list[dict[str, Any]],
    same: list[tuple[str, str]] | None = None,
    names: tuple[str, ...] = ("ann", "bob"),
) -> None:
    """The people in `names` answer every HIT, with `same` where it is given."""
    store = open_store(local_config(app.workspace))
    work = Work(store)
    for name in names:
        worker = work.join(work.invite().token, name=name, password="correct horse").worker.worker_id
        for number, hit in enumerate(hits):
            held = work.accept(worker, hit_id=hit["HITId"])
            said = [("answer", "no" if number == 3 else "yes"), ("why", "=HYPERLINK(1)" if name == "bob" else "")]
            work.submit(held.assignment_id, same or said)
    store.close()
