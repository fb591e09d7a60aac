"""Work of seconds or minutes that a page starts: one job at a time, in a thread, with the workspace's lock and the code
of the commands. What lasts for hours and outlives the server is started by `pipeline.jobs`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ...curation.errors import CurationError
from ...curation.types import Progress
from ...extras import missing_extra
from ...mturk.marketplace.errors import MarketplaceError
from ...mturk.requester.errors import MTurkError
from ..app import App
from ..engines.base import EngineError
from ..errors import NothingToDo, PipelineError, WorkspaceBusy
from ..market.local import RunningMarket, running_market, serve_market
from ..trouble import sentence
from ..workspace.folder import Workspace

__all__ = ["Job", "Jobs", "Work"]

_log = logging.getLogger(__name__)
Work = Callable[[App, Progress], str]
"""What a job does; gives the line that says what it brought."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as pages show it. `state` is running, done, nothing (there was nothing to do) or failed."""

    title: str
    state: str
    text: str
    done: int
    total: int | None
    started_at: datetime
    finished_at: datetime | None

    @property
    def running(self) -> bool:
        return self.state == "running"


class Jobs:
    """The jobs of one server, and the marketplace that it was asked to keep running."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._guard = threading.Lock()
        self._job: Job | None = None
        self._thread: threading.Thread | None = None
        self._kept = ExitStack()

    @property
    def last(self) -> Job | None:
        """The job that runs, else the one that ran last."""
        return self._job

    def start(self, title: str, app: App, work: Work) -> None:
        """Begin a job on the workspace. Raises WorkspaceBusy while another one of this server runs."""
        with self._guard:
            if self._job is not None and self._job.running:
                raise WorkspaceBusy(f"“{self._job.title}” is still at work. Let it finish, then try again.")
            self._job = Job(title, "running", "", 0, None, datetime.now(UTC), None)
            self._thread = threading.Thread(
                target=copy_context().run, args=(self._run, app, work), name=f"job {title}", daemon=True
            )
            self._thread.start()

    def wait(self, seconds: float | None = None) -> None:
        """Until the job that runs has ended."""
        if self._thread is not None:
            self._thread.join(seconds)

    def close(self) -> None:
        """End what was kept running, and let a job come to its end for ten seconds. A job that is cut off loses and
        doubles nothing: the same button goes on."""
        self.wait(10)
        self._kept.close()

    def open_site(self) -> RunningMarket:
        """The embedded marketplace, kept running as long as this server."""
        with self._guard:
            found = running_market(self._workspace)
            if found is not None:
                return RunningMarket(self._workspace, found)
            return self._kept.enter_context(serve_market(self._workspace))

    def _run(self, app: App, work: Work) -> None:
        state, text = "failed", "Something broke; the log of the server says where."
        try:
            text = work(app, self._progress)
            state = "done"
        except NothingToDo as nothing:
            state, text = "nothing", str(nothing)
        except (PipelineError, MTurkError, MarketplaceError, CurationError, EngineError) as error:
            text = str(error)
            _log.warning("job failed", exc_info=error)
        except Exception as error:
            said = missing_extra(error) or sentence(error)
            if said is None:
                raise
            _log.warning("job failed", exc_info=error)
            text = str(said)
        finally:
            assert self._job is not None
            self._job = replace(self._job, state=state, text=text, finished_at=datetime.now(UTC))

    def _progress(self, what: str, done: int, total: int | None) -> None:
        assert self._job is not None
        self._job = replace(self._job, text=what, done=done, total=total)
