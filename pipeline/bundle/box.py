"""A machine reached by the programs ssh and rsync: commands, folders there and back, what it says when it is away."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from ..wording import one_line
from .manifest import BundleError

__all__ = ["Box", "Unreachable", "read_address"]

DEFAULT_FOLDER = "galloway-trainings"
"""In the home of who signs in, where an address names no folder."""
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|[0-9a-fA-F:]+")
_AWAY = (255, 10, 12, 30, 35)
"""Exit codes of ssh (255) and rsync where the other side could not be reached or went away."""
_OPTIONS = ("BatchMode=yes", "ConnectTimeout=20", "ServerAliveInterval=10", "ServerAliveCountMax=3")
"""No questions, and a connection that is dead is known to be so within half a minute."""


class Unreachable(BundleError):
    """The machine could not be reached, or the connection broke: the same may work in a moment."""


@dataclass(frozen=True, slots=True)
class Box:
    """`folder` is a path there, from the home where it begins with no slash. `config` stands for ~/.ssh/config."""

    host: str
    folder: str
    user: str = ""
    port: int | None = None
    config: Path | None = None

    @property
    def address(self) -> str:
        """As it was written, without what is usual."""
        at = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        path = self.folder if self.folder.startswith("/") else f"/~/{self.folder}"
        return f"ssh://{at}{self.host}{port}{path}"

    def run(self, words: list[str], *, tell: Callable[[str], None] | None = None) -> str:
        """Run a program there and return what it printed; `tell` gets its lines as they come.

        Raises Unreachable, and BundleError with the program's own last words where it failed.
        """
        said = []
        with self.lines(words) as lines:
            for line in lines:
                said.append(line)
                if tell is not None:
                    tell(line)
        return "\n".join(said)

    @contextmanager
    def lines(self, words: list[str]) -> Iterator[Iterator[str]]:
        """The lines that a program prints there, as they come. Raises as `run` does, at its end."""
        command = [*self._ssh(), "--", self._who(), shlex.join(words)]
        with _started(command) as process:
            assert process.stdout is not None
            yield (line.rstrip("\n") for line in process.stdout)
            process.stdout.read()
            self._ended(process)

    def push(self, source: Path, target: str) -> None:
        """Make the folder `target` there hold what `source` holds; what was cut off goes on."""
        self._rsync(["--partial", f"{source}/", f"{self._there()}{target}/"])

    def pull(self, source: str, target: Path, *, without: tuple[str, ...] = (), only: bool = True) -> bool:
        """Bring the folder `source` there to `target` here; whether anything was new. With `only`, what is not there
        goes from here, too."""
        target.mkdir(parents=True, exist_ok=True)
        words = ["--no-links", *(f"--exclude={name}" for name in without), *(["--delete"] if only else [])]
        return bool(self._rsync([*words, f"{self._there()}{source}/", f"{target}/"]))

    def _rsync(self, words: list[str]) -> list[str]:
        # -s: the names go over as they are, whatever characters are in them.
        command = [
            "rsync",
            "-a",
            "--no-owner",
            "--no-group",
            "-s",
            "-i",
            "--timeout=60",
            "-e",
            shlex.join(self._ssh()),
            *words,
        ]
        with _started(command) as process:
            assert process.stdout is not None
            changed = [line for line in process.stdout if line.strip()]
            self._ended(process)
        return changed

    def _ended(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        said = process.stderr.read()
        code = process.wait()
        if code == 0:
            return
        last = one_line(" ".join(line for line in said.splitlines()[-6:] if line.strip()))[-600:]
        if code in _AWAY or code < 0:
            raise Unreachable(f"{self.address} cannot be reached: {last or 'no answer'}")
        raise BundleError(f"{self.address} says: {last or f'failed with {code}'}")

    def _ssh(self) -> list[str]:
        words = ["ssh", *(word for option in _OPTIONS for word in ("-o", option))]
        words += ["-F", str(self.config)] if self.config else []
        return words + (["-p", str(self.port)] if self.port else [])

    def _who(self) -> str:
        return f"{self.user}@{self.host}" if self.user else self.host

    def _there(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}:" if self.user else f"{host}:"


def read_address(text: str, config: Path | None = None) -> Box:
    """The machine of an address like `ssh://ann@gpu.example:2222/data/trainings`; without a folder one in the home.

    Raises BundleError for what is no such address.
    """
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        parts, host, port = urlsplit(""), "", None
    user, path = unquote(parts.username or ""), unquote(parts.path).rstrip("/")
    folder = path.removeprefix("/~/") if path.startswith("/~/") else path
    right = parts.scheme == "ssh" and _HOST.fullmatch(host) and not parts.password and not parts.query
    if not right or user.startswith("-") or any(not char.isprintable() for char in user + folder):
        raise BundleError(
            f"{text!r} is no address of a machine. Write ssh://USER@HOST, with :PORT and /FOLDER if wanted."
        )
    return Box(host, folder or DEFAULT_FOLDER, user, port, config)


@contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    """The program under way. It is a group of its own: Ctrl-C is for Galloway, which decides what becomes of it."""
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
    except FileNotFoundError:
        raise BundleError(f"The program {command[0]} is not here. Install it, then run the same command.") from None
    with process:
        try:
            yield process
        except BaseException:
            process.kill()
            raise
