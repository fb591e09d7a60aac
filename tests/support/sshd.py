"""A real sshd on loopback with keys of its own, and programs `ssh` and `rsync` that count and kill."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Loopback", "find_sshd", "sshd"]

_SERVER = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile {folder}/sshd.pid
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
UsePAM no
"""
_CLIENT = """
Host box
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {folder}/user
    IdentitiesOnly yes
    UserKnownHostsFile /dev/null
    StrictHostKeyChecking no
    LogLevel ERROR
"""
_COUNTING = """#!{python}
import os, signal, sys
if any("--server" in word for word in sys.argv):  # rsync's own call of ssh: part of one step
    os.execv({program!r}, [{program!r}, *sys.argv[1:]])
with open({count!r}, "a") as count:
    count.write("x")
at = os.path.getsize({count!r})
kill = int(os.environ.get("KILL_AT", "0"))
if at == kill and os.environ["KILL_WHEN"] == "before":
    os.kill(os.getppid(), signal.SIGKILL)
    sys.exit(1)
if at == kill and os.environ["KILL_WHEN"] == "cut":
    sys.exit(255)
if at == kill:
    code = os.spawnv(os.P_WAIT, {program!r}, [{program!r}, *sys.argv[1:]])
    os.kill(os.getppid(), signal.SIGKILL)
    sys.exit(code)
os.execv({program!r}, [{program!r}, *sys.argv[1:]])
"""


@dataclass(frozen=True, slots=True)
class Loopback:
    """`config` is for ssh's -F, its one host is `box`; `programs` goes into PATH, `count` grows with each call."""

    config: Path
    programs: Path
    count: Path

    def calls(self) -> int:
        """How often ssh or rsync were called since the last time that this was asked."""
        found = self.count.stat().st_size if self.count.exists() else 0
        self.count.unlink(missing_ok=True)
        return found


def find_sshd() -> str | None:
    """The server, which is called by its whole path; and ssh and rsync must be here, too."""
    server = shutil.which("sshd") or shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
    return server if server and shutil.which("ssh") and shutil.which("rsync") else None


@contextmanager
def sshd(folder: Path) -> Iterator[Loopback]:
    """A server that lets in who has the key it made, as the user who runs the tests."""
    program = find_sshd()
    assert program is not None
    folder.mkdir(parents=True)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    Path("/run/sshd").mkdir(exist_ok=True)  # where Debian's sshd locks itself in before it knows who comes
    values = {"folder": folder, "port": port, "user": getpass.getuser()}
    (folder / "server").write_text(_SERVER.format(**values), encoding="utf-8")
    (folder / "config").write_text(_CLIENT.format(**values), encoding="utf-8")
    programs, count = folder / "programs", folder / "count"
    programs.mkdir()
    for name in ("ssh", "rsync"):
        real = shutil.which(name)
        (programs / name).write_text(
            _COUNTING.format(python=sys.executable, program=real, count=str(count)), encoding="utf-8"
        )
        (programs / name).chmod(0o755)
    process = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "server")], stderr=subprocess.DEVNULL)
    try:
        _wait(process, port)
        yield Loopback(folder / "config", programs, count)
    finally:
        process.terminate()
        process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, "sshd ended at once"
        with socket.socket() as asked:
            asked.settimeout(1)
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("sshd does not answer")
