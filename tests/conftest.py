"""What every test gets: no AWS keys, no proxies, no workspace of the user's; and which tools this machine lacks."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from ctypes.util import find_library
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.nginx import find_nginx
from tests.support.small_disk import can_mount
from tests.support.sshd import find_sshd

pytest_plugins = ["tests.support.databases"]

settings.register_profile(
    "galloway",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    print_blob=True,
)
settings.load_profile("galloway")  # no example fails because the machine is busy; a failure says how to repeat it

_TOOLS = {
    "browser": lambda: shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome"),
    "ffprobe": lambda: shutil.which("ffprobe"),
    "nginx": lambda: find_nginx(),
    "systemd": lambda: shutil.which("systemd-analyze"),
    "mount": lambda: can_mount(),
    "opencv": lambda: sys.platform != "linux" or (find_library("GL") and find_library("gthread-2.0")),
    "sshd": lambda: find_sshd(),
    "postgresql": lambda: next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))), None),
}
"""Tools that no package index has. Tests marked with a name need it; `GALLOWAY_TEST_REQUIRE` makes a lack an error."""


def pytest_configure(config: pytest.Config) -> None:
    _hear_signals()
    os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp(prefix="galloway-no-config-")
    config.addinivalue_line("markers", "browser: needs Chromium (apt-get install chromium)")
    config.addinivalue_line("markers", "ffprobe: needs ffprobe (apt-get install ffmpeg)")
    config.addinivalue_line("markers", "opencv: needs OpenCV's libraries (apt-get install libgl1 libglib2.0-0)")
    for key in list(os.environ):
        if key.startswith(("AWS_", "GALLOWAY_")) and key not in ("GALLOWAY_TEST_REQUIRE", "GALLOWAY_TEST_POSTGRES"):
            if key.startswith("GALLOWAY_FACESWAP"):
                continue
            del os.environ[key]
    required = [name for name in os.environ.get("GALLOWAY_TEST_REQUIRE", "").split(",") if name]
    missing = [name for name in required if not _TOOLS[name]()]
    if missing:
        raise pytest.UsageError(f"GALLOWAY_TEST_REQUIRE names tools that are not here: {', '.join(missing)}")


def _hear_signals() -> None:
    """Undo what `nohup` and a shell's `&` set: tests and their children hear the signals that are sent to them."""
    heard = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    if hasattr(signal, "SIGHUP"):
        heard[signal.SIGHUP] = signal.SIG_DFL
    for number, handler in heard.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what this machine cannot run, and say so: a clean clone needs nothing but the package index."""
    lacking = {name for name, find in _TOOLS.items() if not find()}
    left_out = [item for item in items if any(item.get_closest_marker(name) for name in lacking)]
    if left_out:
        names = sorted({name for name in lacking for item in left_out if item.get_closest_marker(name)})
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(
                f"{len(left_out)} tests are left out, this machine has no {', '.join(names)}.", yellow=True
            )
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
    # What takes long begins first, so that no process is left alone with it at the end.
    long = {item.path for item in items if item.get_closest_marker("slow") or "e2e" in item.path.parts}
    items.sort(key=lambda item: item.path not in long)
