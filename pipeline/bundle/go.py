"""Runs a packed training on a machine that has Python and nothing else of Galloway: `python3 go.py ACTION FOLDER`.

    start FOLDER [--python P] [--env DIR]   make the environment, start the training, leave; started twice it runs once
    run FOLDER [--python P] [--env DIR]     the same, and stay until it has ended (notebooks, job schedulers)
    follow FOLDER --from BYTES              what happens, an object a line: events.jsonl from there on, and the state
    tell FOLDER                             the state as JSON
    stop FOLDER                             ask the training to save and end
    drop FOLDER                             delete the bundle with its faces and its model from this machine

States: new, running, done (result.json is there), failed (failed.json), killed. Only Python's own library is used here:
this file travels alone. FOLDER is the bundle. Without --python an environment is made once for each set of
requirements; `--python here` completes the Python that runs this.
"""

import argparse
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path
from typing import Any, TextIO

OLDEST = (3, 11)
LOCK = "run.lock"
LAST_LINES = 12
"""Of the log, shown where a training ends before it began."""


def say(text: str, *, to: TextIO | None = None) -> None:
    """A line for whoever called, at once."""
    (to or sys.stdout).write(text + "\n")
    (to or sys.stdout).flush()


def main(words: list[str]) -> int:
    """Do one action; the exit code."""
    parser = argparse.ArgumentParser(prog="go.py", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("action", choices=["start", "run", "follow", "tell", "stop", "drop"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--python", default="")
    parser.add_argument("--env", type=Path)
    parser.add_argument("--from", dest="start", type=int, default=0)
    asked = parser.parse_args(words)
    folder = asked.folder.expanduser().absolute()
    if asked.action in ("start", "run"):
        if asked.python == "here":
            complete_here(folder)
            asked.python = sys.executable
        python = asked.python or environment(folder, asked.env or folder.parent)
        return start(folder, python) if asked.action == "start" else subprocess.call(*command(folder, python))
    if asked.action == "follow":
        return follow(folder, asked.start)
    if asked.action == "stop":
        return stop(folder)
    if asked.action == "drop":
        return drop(folder)
    say(json.dumps(state(folder)))
    return 0


def state(folder: Path) -> dict[str, object]:
    """How the training stands, by its lock and by what it left."""
    if not (folder / "bundle.json").is_file():
        return {"state": "none"}
    pid = holder(folder)
    if pid is not None:
        return {"state": "running", "pid": pid}
    for name, word in (("result.json", "done"), ("failed.json", "failed")):
        if (folder / name).is_file():
            return {"state": word, **json.loads((folder / name).read_text(encoding="utf-8"))}
    return {"state": "killed" if (folder / "events.jsonl").is_file() else "new"}


def holder(folder: Path) -> int | None:
    """The process that trains here: it holds a lock, which goes with it. 0 where it has not yet written its number."""
    try:
        with (folder / LOCK).open("r+b") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(lock.read() or 0)
    except FileNotFoundError:
        pass
    return None


def environment(folder: Path, root: Path) -> str:
    """The Python of an environment with what this bundle needs; made once, and again where it was cut off."""
    if sys.version_info < OLDEST:
        raise SystemExit(
            f"Python {'.'.join(map(str, OLDEST))} or newer is needed here, this is {sys.version.split()[0]}."
        )
    wheel = next(iter(sorted(folder.glob("galloway-*.whl"))), None)
    if wheel is None:
        raise SystemExit(f"{folder} holds no galloway-….whl: the bundle is not whole. Send it again.")
    gpu = shutil.which("nvidia-smi") is not None and platform.machine() == "x86_64"
    wanted = f"{requirements(wheel)}\n{sys.version_info[:2]}\n{gpu}"
    place = root / f"env-{hashlib.sha256(wanted.encode()).hexdigest()[:16]}"
    python = place / "bin" / "python"
    root.mkdir(parents=True, exist_ok=True)
    with (root / "env.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two bundles that start at once make it once
        if not (place / "complete").is_file():
            say(f"making an environment: {place}")
            shutil.rmtree(place, ignore_errors=True)
            venv.create(place, with_pip=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, f"{wheel}[embedded]"], check=True)
            if gpu:
                with_cuda(python, pip)
            (place / "complete").write_text("")
    return str(python)


def complete_here(folder: Path) -> None:
    """Install into the Python that runs this what it lacks. A TensorFlow that is there stays: it may know the GPU."""
    from importlib.util import find_spec

    from pip._vendor.packaging.requirements import Requirement

    wheel = next(iter(sorted(folder.glob("galloway-*.whl"))))
    lines = [Requirement(line.partition(":")[2].strip()) for line in requirements(wheel).splitlines()]
    extras, wanted = {"embedded"}, []
    for _ in range(4):  # extras name extras
        extras |= {more for line in lines if line.name == "galloway" and applies(line, extras) for more in line.extras}
    for line in lines:
        there = line.name == "galloway" or (line.name.startswith("tensorflow") and find_spec("tensorflow"))
        if not there and applies(line, extras | {""}):
            wanted.append(f"{line.name}{line.specifier}")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *wanted], check=True)


def applies(line: Any, extras: set[str]) -> bool:
    """Whether a requirement is one of these extras, on this machine."""
    return any(line.marker is None or line.marker.evaluate({"extra": extra}) for extra in extras)


def with_cuda(python: Path, pip: list[str]) -> None:
    """TensorFlow of the same version with what a GPU needs, in the place of the one for processors."""
    version = tensorflow_of(python)
    if not re.fullmatch(r"[0-9][0-9a-z.]*", version):
        raise SystemExit(f"TensorFlow calls its version {version!r}, which is none.")
    subprocess.run([str(python), "-m", "pip", "uninstall", "--quiet", "-y", "tensorflow-cpu"], check=True)
    subprocess.run([*pip, "--force-reinstall", "--no-deps", f"tensorflow=={version}"], check=True)
    subprocess.run([*pip, f"tensorflow[and-cuda]=={version}"], check=True)


def tensorflow_of(python: Path) -> str:
    """What the TensorFlow of that Python calls its version."""
    asked = "import tensorflow; print(tensorflow.__version__)"
    return subprocess.run([str(python), "-c", asked], check=True, capture_output=True, text=True).stdout.split()[-1]


def requirements(wheel: Path) -> str:
    """The lines of a wheel that say what it needs."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(item for item in archive.namelist() if item.endswith(".dist-info/METADATA"))
        text = archive.read(name).decode()
    return "\n".join(line for line in text.split("\n\n")[0].splitlines() if line.startswith("Requires-Dist"))


def command(folder: Path, python: str) -> tuple[list[str]]:
    """The training's command line; Galloway itself is unpacked from the bundle, so the bundle says which one runs."""
    wheel = next(iter(sorted(folder.glob("galloway-*.whl"))))
    code = folder / "code"
    if not (code / "complete").is_file():
        shutil.rmtree(code, ignore_errors=True)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(code)
        (code / "complete").write_text("")
    os.environ["PYTHONPATH"] = str(code)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return ([python, "-m", "galloway", "bundle", "run", str(folder)],)


def start(folder: Path, python: str) -> int:
    """Start the training as a process of its own and leave it; where one runs already or has ended, that is all."""
    if state(folder)["state"] in ("running", "done"):
        return 0
    with (folder / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            *command(folder, python), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    while process.poll() is None and not holder(folder):
        time.sleep(0.05)
    # 5: another one took the lock first, which is the same.
    if process.poll() not in (None, 0, 5) and not (folder / "failed.json").is_file():
        said = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]
        say("\n".join(said), to=sys.stderr)
        return 1
    return 0


def follow(folder: Path, start: int, pause: float = 0.5, beat: float = 5.0) -> int:
    """Print events from byte `start` on and the state now and then, until the training runs no more."""
    path, at, told = folder / "events.jsonl", start, 0.0
    while True:
        now = state(folder)
        if path.is_file():
            with path.open("rb") as events:
                events.seek(at)
                data = events.read()
            whole = data[: data.rfind(b"\n") + 1]
            at += len(whole)
            for line in whole.splitlines():
                say(json.dumps({"event": line.decode("utf-8", "replace")}))
        if now["state"] != "running" or time.monotonic() - told > beat:
            say(json.dumps({"state": now}))
            told = time.monotonic()
        if now["state"] != "running":
            return 0
        time.sleep(pause)


def stop(folder: Path) -> int:
    """Interrupt the training as Ctrl-C does: it saves first."""
    pid = holder(folder)
    if pid:
        os.kill(pid, signal.SIGINT)
    return 0


def drop(folder: Path) -> int:
    """Delete the bundle; a training that still runs is killed first, since its faces go."""
    if not (folder / "bundle.json").is_file() and folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"{folder} is no bundle; nothing was deleted.")
    pid = holder(folder)
    if pid:
        os.kill(pid, signal.SIGKILL)
        while holder(folder) is not None:
            time.sleep(0.05)
    if folder.exists():
        # The manifest goes last: cut off in the middle, it is still a bundle that can be dropped.
        for path in sorted(folder.iterdir(), key=lambda item: item.name == "bundle.json"):
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        folder.rmdir()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except BrokenPipeError:  # who followed has gone
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(0)
    except subprocess.CalledProcessError as failed:
        sys.exit(f"{' '.join(map(str, failed.cmd[:4]))} … failed with {failed.returncode}. The same command goes on.")
