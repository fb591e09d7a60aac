"""Workers of a Dask cluster, as a pool for `curation.spread`.

Workers read the footage and write the faces themselves, in a folder that all machines see under the same path; sent are
paths, the pixels that a conversion makes new, and faces that are to be embedded. Before the first task each worker is
asked whether it sees that folder, and whether it has this version of Galloway.
"""

from __future__ import annotations

import importlib.metadata
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...curation.errors import WorkersLost
from ...curation.files import write_atomic
from ...curation.spread import Spread
from ...extras import require
from ..errors import StageError

__all__ = ["Needs", "on_cluster", "on_worker", "sees"]

_CONNECT = 10.0
"""Seconds within which a scheduler answers."""
_FIRST = 30.0
"""Seconds within which a first worker is there: it may have been started a moment ago."""
_COUNTED = 2.0
"""For so many seconds the number of workers is taken for what it was: they come and go."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What every worker must see: the workspace's folder, which holds `word` in the file `sign`, and the footage with
    its sizes (of folders: None)."""

    version: str
    sign: Path
    word: str
    files: tuple[tuple[Path, int | None], ...]


@contextmanager
def on_cluster(address: str, folder: Path, files: Sequence[Path], said: Callable[[str], None]) -> Iterator[Spread]:
    """The workers of the cluster at `address` (of its scheduler, such as tcp://10.0.0.5:8786), which see `folder` and
    `files`; `said` is told the address of its dashboard.

    Raises StageError where there is no scheduler or worker, or one that lacks something; WorkersLost where the cluster
    is lost, or workers are lost again and again with the same task.
    """
    require("distributed")
    from concurrent.futures import CancelledError

    import distributed
    from distributed.comm.core import CommClosedError
    from distributed.scheduler import KilledWorker

    # A cluster that goes away is told of below; Dask would show a traceback of its own.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
    client = _connected(distributed, address)
    try:
        said(client.dashboard_link)
        _check(client, address, folder, files)
        yield Spread(_Cluster(client))
    except KilledWorker as lost:
        raise WorkersLost(
            f"Workers of {address} ended again and again in the midst of the same work ({lost.last_worker.address} the "
            "last); often memory runs out. What is done is kept: run the same command again."
        ) from lost
    except (CancelledError, CommClosedError) as gone:
        raise WorkersLost(
            f"The cluster at {address} is gone. What is done is kept: run the same command again."
        ) from gone
    finally:
        client.close(timeout=_CONNECT)


def _connected(distributed: Any, address: str) -> Any:
    try:
        return distributed.Client(address, timeout=_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise StageError(
            f"No Dask scheduler answers at {address} ({str(error).splitlines()[0]}). Start one: dask scheduler; then "
            "name its address, such as --dask tcp://10.0.0.5:8786"
        ) from error


def _check(client: Any, address: str, folder: Path, files: Sequence[Path]) -> None:
    """Raise StageError, naming the workers, unless all can do the work."""
    try:
        client.wait_for_workers(1, timeout=_FIRST)
    except TimeoutError as error:
        raise StageError(f"The Dask scheduler at {address} has no worker. Start some: dask worker {address}") from error
    sign, word = folder / f".seen-{secrets.token_hex(6)}", secrets.token_hex(8)
    write_atomic(sign, word, durable=False)
    try:
        sized = tuple((path, path.stat().st_size if path.is_file() else None) for path in files)
        needs = Needs(importlib.metadata.version("galloway"), sign, word, sized)
        told: dict[str, str | Exception] = client.run(sees, needs, on_error="return")
    finally:
        sign.unlink(missing_ok=True)
    wrong = sorted(f"{worker}: {_why(answer)}" for worker, answer in told.items() if answer)
    if wrong:
        raise StageError(f"{len(wrong)} of {len(told)} workers of {address} cannot do the work:", *wrong)


def _why(answer: str | Exception) -> str:
    if isinstance(answer, ModuleNotFoundError):
        return f"it has no {answer.name}; install Galloway there, with the same extras"
    return str(answer)


def sees(needs: Needs) -> str:
    """What this worker lacks; empty where it lacks nothing."""
    host = socket.gethostname()
    here = importlib.metadata.version("galloway")
    if here != needs.version:
        return f"{host} has Galloway {here}, not {needs.version}; install the same version there"
    folder = needs.sign.parent
    try:
        same = needs.sign.read_text(encoding="utf-8") == needs.word
    except OSError:
        same = False
    if not same:
        return f"{host} does not see {folder} as it is here; put the workspace into a folder that all machines share"
    if not os.access(folder, os.W_OK):
        return f"{host} may not write into {folder}"
    for path, size in needs.files:
        if not path.exists() or (size is not None and path.stat().st_size != size):
            return f"{host} does not see {path} as it is here; the footage must lie in a folder that all machines share"
    return ""


def on_worker(function: Callable[[Any], Any], task: object) -> Any:
    """The task's result. An OSError names the worker: a disk that one machine does not see, or that is full there."""
    try:
        return function(task)
    except OSError as error:
        raise OSError(
            error.errno, f"{error.strerror or error} on the worker {socket.gethostname()}", error.filename
        ) from error


@dataclass(slots=True)
class _Cluster:
    """The pool of a connected client. Dask itself gives a lost worker's tasks to others, three times at most."""

    client: Any
    _executor: Any = field(init=False)
    _workers: int = 1
    _counted: float = 0.0

    def __post_init__(self) -> None:
        self._executor = self.client.get_executor(pure=False)

    @property
    def workers(self) -> int:
        if time.monotonic() - self._counted > _COUNTED:
            self._workers = max(1, sum(self.client.nthreads().values()))
            self._counted = time.monotonic()
        return self._workers

    def submit(self, function: Callable[[Any], Any], task: object) -> Future[Any]:
        future: Future[Any] = self._executor.submit(on_worker, function, task)
        return future

    def renew(self) -> None:
        """Nothing: a cluster starts its workers anew itself."""
