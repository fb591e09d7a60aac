"""faceswap as a program: its own environment, a shadow of its folder, its two output streams as events.

faceswap takes the folder of its script for the place of its configuration, crash reports and preview, under fixed
names. A run therefore starts from a shadow: a copy of its code (5 MB) in the run's own folder. Nothing is written into
the user's checkout, and parallel runs do not see each other.
"""

from __future__ import annotations

import logging
import os
import queue
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from codecs import getincrementaldecoder
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from ..base import EngineError
from ..stopping import ASKED, StopSwitch
from .check import without_card
from .config import effective, lay_over
from .diagnose import WeightsWatch, diagnose
from .home import Home
from .locks import Held, held
from .parse import Event, Log, Splitter, parse
from .schema import read_schema

__all__ = ["MissingWeights", "Program", "Run"]

logger = logging.getLogger(__name__)

_CODE = ("lib", "plugins", "scripts", "tools")
_FOREIGN = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "KERAS_BACKEND", "KERAS_HOME", "DISPLAY")
_TAIL = 200
_LOCK = ".lock"
_LEAVES = 3.0
"""Seconds that a faceswap without its weights gets to leave by itself; most of master's plugins never do."""
_FRESH = 60
"""Seconds within which a shadow without a lock may just be in the making."""


@dataclass(frozen=True)
class Program:
    """faceswap with its Python and backend."""

    home: Home
    python: Path
    backend: str
    settings: Path | None = None
    """A workspace's own settings for faceswap, laid over the user's in every run."""

    def environment(self, folder: Path) -> dict[str, str]:
        """The child's environment: a fixed backend, and Keras settings apart for each line.

        Without KERAS_BACKEND the master line takes what ~/.keras/keras.json says, which the v2.3 line writes.
        """
        env = {key: value for key, value in os.environ.items() if key not in _FOREIGN}
        env |= {
            "FACESWAP_BACKEND": self.backend,
            "KERAS_HOME": str(folder / ".keras"),
            "PYTHONUNBUFFERED": "1",
            "PYTHONIOENCODING": "utf-8",
        }
        if self.home.line == "master":
            env["KERAS_BACKEND"] = "torch"
        return env

    def without_card(self) -> str:
        """See `check.without_card`; asks nothing where the backend is none of a graphics card."""
        with tempfile.TemporaryDirectory() as folder:
            return without_card(self.home, self.python, self.backend, self.environment(Path(folder)))

    @contextmanager
    def shadow(self, work_dir: Path) -> Iterator[tuple[Path, int]]:
        """A run's own copy of the program below `work_dir`, and the descriptor of the lock that says it is in use.

        It is removed afterwards; crash reports and settings are kept.
        """
        work_dir.mkdir(parents=True, exist_ok=True)
        _sweep(work_dir)
        folder = Path(tempfile.mkdtemp(prefix="faceswap-", dir=work_dir))
        try:
            with held(folder / _LOCK) as lock:
                for code in _code(self.home.root):
                    shutil.copytree(code, folder / code.name)
                for script in self.home.root.glob("*.py"):
                    shutil.copy2(script, folder / script.name)
                self._settings(folder)
                self.home.weights.mkdir(parents=True, exist_ok=True)
                (folder / ".fs_cache").symlink_to(self.home.weights, target_is_directory=True)
                yield folder, lock
        finally:
            self._keep(work_dir, folder)
            shutil.rmtree(folder, ignore_errors=True)

    def _settings(self, folder: Path) -> None:
        """The user's own as they are now, and over them the workspace's."""
        (folder / "config").mkdir()
        for ini in (self.home.root / "config").glob("*.ini"):
            shutil.copy2(ini, folder / "config" / ini.name)
        ask = partial(read_schema, self.home.line, self.python, folder, self.environment(folder))
        lay_over(folder / "config", self.settings, ask)

    def effective(self, name: str) -> list[list[str]]:
        """What stands in a file of settings ("extract.ini") in every run: see `config.effective`."""
        return effective(self.home.root / "config", self.settings, name)

    def _keep(self, work_dir: Path, folder: Path) -> None:
        (work_dir / "config").mkdir(exist_ok=True)
        for ini in (folder / "config").glob("*.ini"):
            shutil.copy2(ini, work_dir / "config" / ini.name)
        for report in folder.glob("crash_report*.log"):
            shutil.move(report, work_dir / report.name)

    @contextmanager
    def start(
        self, script: str, arguments: Sequence[str], work_dir: Path, pass_fds: tuple[int, ...] = ()
    ) -> Iterator[Run]:
        """Start `script` ("faceswap.py" or "tools.py") in a shadow; the child is gone when the block is left."""
        with self.shadow(work_dir) as (folder, alive):
            command = (str(self.python), "-u", str(folder / script), *arguments)
            logger.info("starting faceswap %s", arguments[0])
            try:
                child = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=self.environment(folder),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    # Ctrl-C in the terminal goes to us alone; we hand it on once and wait for the save.
                    start_new_session=True,
                    pass_fds=(*pass_fds, alive),
                    preexec_fn=_listen_to_sigint if _sigint_is_ignored() else None,
                )
            except OSError as error:
                raise EngineError(
                    f"faceswap's Python {self.python} cannot be started ({error}). Set GALLOWAY_FACESWAP_PYTHON."
                ) from error
            run = Run(child, folder, arguments[0])
            try:
                yield run
            finally:
                run.close()

    def run(self, script: str, arguments: Sequence[str], work_dir: Path, on_event: Callable[[Event], None]) -> None:
        """Run to the end. Raises EngineError with the diagnosis where it fails.

        `kill` and a closed terminal end it, too: left alone, it would go on writing where the next run writes.
        """
        # A switch and no exception: one that came while the child is being started would leave it behind.
        with StopSwitch(ASKED) as switch, self.start(script, arguments, work_dir) as run:
            while not run.done:
                if switch.pressed:
                    raise SystemExit(128 + switch.number)
                event = run.next_event(1.0)
                if event is not None:
                    on_event(event)
            run.require_success()


def _code(root: Path) -> Iterator[Path]:
    """The folders of `root` that hold the program; a user's checkout may hold much else."""
    for entry in sorted(root.iterdir()):
        if entry.name in _CODE or (entry.name != "tests" and (entry / "__init__.py").is_file()):
            yield entry


def _sweep(work_dir: Path) -> None:
    """Remove shadows that a killed galloway left behind here or beside, unless their faceswap is still alive."""
    for folder in {*work_dir.glob("faceswap-*/"), *work_dir.parent.glob("*/faceswap-*/")}:
        # Two runs may sweep at once, and a shadow may just be in the making.
        with suppress(Held, FileNotFoundError):
            has_lock = (folder / _LOCK).exists()
            left = has_lock or time.time() - folder.stat().st_mtime > _FRESH
            if left and (has_lock or (folder / "faceswap.py").exists()):
                with held(folder / _LOCK):
                    shutil.rmtree(folder, ignore_errors=True)


def _sigint_is_ignored() -> bool:
    """A shell's background job inherits an ignored SIGINT, and its children would never hear ours."""
    return signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def _listen_to_sigint() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class MissingWeights(EngineError):
    """The weights of a detector or aligner are not there and could not be fetched."""


class Run:
    """A running faceswap. `folder` is its shadow, `tail` the last lines of both streams."""

    def __init__(self, child: subprocess.Popen[bytes], folder: Path, what: str) -> None:
        self._child, self.folder, self._what = child, folder, what
        self.pid = child.pid
        self.tail: deque[str] = deque(maxlen=_TAIL)
        self._events: queue.Queue[Event | None] = queue.Queue()
        self._open_streams = 2
        self._weights = WeightsWatch()
        self._starved: float | None = None
        self.done = False
        for stream in (child.stdout, child.stderr):
            assert stream is not None
            threading.Thread(target=self._read, args=(stream,), daemon=True).start()

    def _read(self, stream: IO[bytes]) -> None:
        splitter = Splitter()
        decoder = getincrementaldecoder("utf-8")("replace")
        while not self.done and (data := os.read(stream.fileno(), 65536)):
            self._take(splitter.feed(decoder.decode(data)))
        self._take(splitter.close())
        self._events.put(None)

    def _take(self, lines: list[str]) -> None:
        for line in lines:
            for event in parse(self._lasting(line)):
                if isinstance(event, Log):
                    self.tail.append(f"{event.level} {event.text}".strip())
                self._events.put(event)

    def _lasting(self, line: str) -> str:
        """`line` with the shadow's paths as those where the files are afterwards: reports and settings beside it."""
        for folder in {str(self.folder), str(self.folder.resolve())}:
            line = line.replace(f"{folder}/.fs_cache", str((self.folder / ".fs_cache").resolve()))
            line = line.replace(folder, str(self.folder.parent))
        return line

    def next_event(self, seconds: float) -> Event | None:
        """The next event; None when there was none for `seconds`, or when `done` became true."""
        while not self.done:
            try:
                event = self._events.get(timeout=seconds)
            except queue.Empty:
                self._end_starved()
                self._end_orphaned()
                return None
            if event is not None:
                self._notice_starved(event)
                return event
            self._open_streams -= 1
            if self._open_streams == 0:
                self._child.wait()
                self.done = True
        return None

    def _notice_starved(self, event: Event) -> None:
        if isinstance(event, Log) and self._starved is None:
            self._weights.feed(event.text)
            self._starved = time.monotonic() if self._weights.missing is not None else None

    def _end_starved(self) -> None:
        """End a faceswap that said its weights are missing and hangs: its other threads wait for the one that left."""
        if self._starved is not None and time.monotonic() - self._starved > _LEAVES:
            self.kill()

    def _end_orphaned(self) -> None:
        """Have done where the program has ended, and a worker that it left behind holds its streams and is silent."""
        if self._child.poll() is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)
            self.done = True

    def interrupt(self) -> None:
        """Ask it to save and stop (SIGINT; SIGTERM would lose everything since the last save)."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGINT)

    def require_success(self) -> None:
        """Raise EngineError with the diagnosis unless it ended well; MissingWeights where that is all it wanted."""
        missing = self._weights.missing
        if missing is not None:
            raise MissingWeights(missing.told(self._what, (self.folder / ".fs_cache").resolve()))
        if self._child.returncode != 0:
            raise EngineError(diagnose(self._what, self._child.returncode, self.tail))

    def kill(self) -> None:
        """End it and its workers at once; what was not saved is lost."""
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def close(self) -> None:
        """End what is left of it and close its streams."""
        self.kill()
        for stream in (self._child.stdout, self._child.stderr):
            if stream is not None:
                stream.close()
