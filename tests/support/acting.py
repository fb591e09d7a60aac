"""The requester's pages on a workspace in which nobody was asked yet, with the jobs that they start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask
from galloway.pipeline.web import create_web_app
from galloway.pipeline.web.opened import jobs

from tests.support.workspace import built_app

__all__ = ["acting_site", "job_state"]


@contextmanager
def acting_site(root: Path) -> Iterator[Flask]:
    """Six faces a side that nobody was asked about; its jobs end with the block."""
    made = create_web_app(built_app(root, faces=6).workspace)
    try:
        yield made
    finally:
        jobs(made).close()


def job_state(site: Flask) -> tuple[str, str]:
    """How the last job ended, and what it said."""
    jobs(site).wait(60)
    job = jobs(site).last
    assert job is not None
    return job.state, job.text
