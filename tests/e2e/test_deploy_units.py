"""The units' own command lines, started on a fresh workspace as systemd would: they answer, back up, and end well."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from galloway.pipeline.stages.setup import make_workspace

ROOT = Path(__file__).parents[2]
UNITS = ROOT / "deploy" / "systemd"


def command(unit: str, **changed: str) -> list[str]:
    """What the unit starts, with this Python instead of the installed program, and other words where they are given."""
    (line,) = re.findall(r"^ExecStart=(.+)$", (UNITS / unit).read_text(encoding="utf-8"), re.M)
    _, *words = shlex.split(line)
    return [sys.executable, "-m", "galloway", *(changed.get(word, word) for word in words)]


def environment(unit: str, workspace: Path) -> dict[str, str]:
    """The unit's environment, with another workspace."""
    given = dict(re.findall(r"^Environment=(\w+)=(.+)$", (UNITS / unit).read_text(encoding="utf-8"), re.M))
    assert set(given) == {"GALLOWAY_WORKSPACE"}
    return {**os.environ, "PYTHONPATH": str(ROOT), "GALLOWAY_WORKSPACE": str(workspace)}


@contextmanager
def started(unit: str, workspace: Path, until: str, **changed: str) -> Iterator[str]:
    """The unit's process while it runs; yields what it said until it was ready, and ends it as systemd does."""
    with subprocess.Popen(
        command(unit, **changed), env=environment(unit, workspace),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if line.startswith(until):
                break
        try:
            yield said
        finally:
            process.send_signal(signal.SIGTERM)
            left = process.communicate(timeout=30)[0]
        assert process.returncode == 0, said + left


def look(url: str) -> str:
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(url, timeout=30) as answer:
        return str(answer.read().decode())


def test_market_pages_and_backup_from_nothing(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "workspace")[0].root
    ports = {"8100": "0", "8101": "0", "8102": "0", "8500": "0"}
    with started("galloway-market.service", workspace, "Next:", **ports) as said:
        assert "https://work.team.example" in said
        record = json.loads((workspace / "market" / "running.json").read_text())
        for part in ("api", "frames"):
            assert json.loads(look(f"{record[part]}/healthz"))["status"] == "ok"
        assert "galloway_servers 1" in look(f"{record['api']}/metrics")
        with started("galloway-requester.service", workspace, "Stop with", **ports) as pages:
            link = pages.split()[0]
            assert "workspace" in look(link)
            assert json.loads(look(f"{link.partition('?')[0]}healthz")) == {"status": "ok", "database": "sqlite"}
        backups = tmp_path / "backups"
        backups.mkdir()
        unit = "galloway-backup.service"
        done = subprocess.run(
            command(unit, **{"/srv/galloway/backups": str(backups)}),
            env=environment(unit, workspace), capture_output=True, text=True, check=True,
        )  # fmt: skip
    with zipfile.ZipFile(done.stdout.strip()) as archive:
        names = archive.namelist()
    assert {"galloway.db", "market/market.db", "market/market.key", "galloway.toml"} <= set(names)
    assert not (workspace / "market" / "running.json").exists()


def test_the_pictures_unit_answers(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "workspace")[0].root
    with started("galloway-pictures.service", workspace, "Stop with", **{"8501": "0"}) as said:
        assert said.startswith("http://127.0.0.1:")
