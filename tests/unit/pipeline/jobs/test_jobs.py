"""Jobs outlive who started them; how one stands is asked of its lock; and a file of a job names no command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from galloway.pipeline.cli.run_job import run_job
from galloway.pipeline.errors import StageError, WorkspaceBusy
from galloway.pipeline.jobs.kept import Job, all_jobs, find_job, last_lines
from galloway.pipeline.jobs.kinds import KINDS, command
from galloway.pipeline.jobs.starting import go_on, start, stop
from galloway.pipeline.workspace.acts import act_as, acts
from galloway.pipeline.workspace.folder import Workspace
from galloway.pipeline.workspace.held import FACES_LOCK, held

from tests.support.patience import PATIENCE
from tests.support.web import empty_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    made = empty_workspace(tmp_path / "ws")
    yield made
    for job in all_jobs(made):
        if job.pid:
            os.kill(job.pid, signal.SIGKILL)


def ended(workspace: Workspace, job: Job) -> Job:
    until = time.monotonic() + PATIENCE
    while (found := find_job(workspace, job.id)) is not None and found.running:
        assert time.monotonic() < until, last_lines(found)
        time.sleep(0.05)
    assert found is not None
    return found


def write_job(workspace: Workspace, name: str = "20260102-030405-abcdef", **asked: object) -> Path:
    folder = workspace.root / "jobs" / name
    folder.mkdir(parents=True)
    told = {"kind": "extract", "choices": {}, "files": [], "by": "", "started_at": datetime.now(UTC).isoformat()}
    (folder / "job.json").write_text(json.dumps(told | asked))
    return folder


def test_choices_become_the_words_of_a_command() -> None:
    assert command("extract", {"side": "b", "every-nth": "5", "again": ""}) == [
        *("extract", "--side", "b", "--every-nth", "5")
    ]
    assert command("extract", {"again": "yes"}) == ["extract", "--again"]
    assert command("convert", {"source": "my clip", "where": "approved"}) == [
        "convert", "--source", "my clip", "--where", "approved",
    ]  # fmt: skip
    assert command("convert", {"model": "embedded-original"}) == ["convert", "--model", "embedded-original"]
    assert command("convert", {"skip": "3-9,12"}) == ["convert", "--skip", "3-9", "--skip", "12"]
    assert command("train", {"minutes": "0.5", "occlusion": "no"}) == [
        "train",
        "--minutes",
        "0.5",
        "-o",
        "occlusion=no",
    ]
    assert command("ingest", {"side": "a", "basis": "own"}, ("/x/-y.mp4",))[-2:] == ["--", "/x/-y.mp4"]
    assert command("reference", {"side": "a"}, ("/x.jpg", "/y.jpg")) == [
        *("ingest", "--side", "a", "--reference", "/x.jpg", "--reference", "/y.jpg")
    ]


@pytest.mark.parametrize(
    ("kind", "choices", "files", "said"),
    [
        ("publish", {}, (), "There is no job 'publish'"),
        ("convert", {"output": "/etc/passwd"}, (), "there is no choice 'output'"),
        ("convert", {"skip": "1-2 --output /x"}, (), "does not fit skip"),
        ("convert", {"model": "../elsewhere"}, (), "does not fit model"),
        ("convert", {"crf": "٣"}, (), "does not fit crf"),
        ("train", {"minutes": "inf"}, (), "does not fit minutes"),
        ("train", {"model": "--engine"}, (), "does not fit model"),
        ("ingest", {"person": "--faces"}, ("/x",), "does not fit person"),
        ("ingest", {"side": "a"}, (), "name the files"),
        ("extract", {}, ("/x",), "it takes no files"),
    ],
)
def test_what_is_no_choice_is_refused(kind: str, choices: dict[str, str], files: tuple[str, ...], said: str) -> None:
    with pytest.raises(StageError, match=said):
        command(kind, choices, files)


def test_every_choice_is_an_option_of_its_command() -> None:
    from click import Context
    from galloway.pipeline.cli.main import cli

    for kind in KINDS.values():
        found = cli.get_command(Context(cli), kind.word)
        assert found is not None
        options = {word for item in found.params for word in item.opts}
        assert {f"--{name}" for name in kind.choices.keys() - kind.engine_options} <= options, kind.title


def test_a_job_is_the_command_and_ends_as_it_does(workspace: Workspace) -> None:
    job = start(workspace, "extract", {"side": "a"}, by="Ann")
    assert (job.title, job.by, job.choices) == ("Find faces", "Ann", {"side": "a"})
    done = ended(workspace, job)
    assert done.state in ("nothing", "failed"), "there is no footage"
    assert last_lines(done)[0] == "galloway extract --side a"
    assert "galloway ingest" in "\n".join(last_lines(done)), "it says what the command says"
    assert done.ended_at is not None
    assert [item.id for item in all_jobs(workspace)] == [job.id]


def test_a_job_that_waits_for_another_command_is_busy_and_goes_on(workspace: Workspace) -> None:
    with held(workspace.root, FACES_LOCK, "training", 0):
        job = ended(workspace, start(workspace, "extract", {}))
    assert (job.state, job.may_go_on) == ("busy", True)
    assert "training" in "\n".join(last_lines(job))
    assert ended(workspace, go_on(workspace, job)).state != "busy"


_SLEEPER = """
import json, os, sys, time
from pathlib import Path
from galloway.pipeline.workspace.held import LOCK, held
folder = Path(sys.argv[1])
with held(folder, LOCK, "running a job", 5):
    (folder / "begun.json").write_text(json.dumps({"pid": os.getpid()}))
    print("up", flush=True)
    time.sleep(600)
"""


def sleeper(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", _SLEEPER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_a_process_that_is_killed_leaves_a_job_that_goes_on(workspace: Workspace) -> None:
    process = sleeper(write_job(workspace))
    (job,) = all_jobs(workspace)
    assert (job.state, job.pid) == ("running", process.pid)
    with pytest.raises(WorkspaceBusy, match="at work already"):
        start(workspace, "extract", {"side": "b"})
    with pytest.raises(StageError, match="nothing to go on with"):
        go_on(workspace, job)
    process.kill()
    process.communicate()
    (job,) = all_jobs(workspace)
    assert (job.state, job.pid, job.may_go_on, stop(workspace, job)) == ("killed", 0, True, False)


def test_the_log_says_who_began_a_job_that_was_killed(workspace: Workspace) -> None:
    act_as("Ann", "page")
    try:
        job = start(workspace, "extract", {"side": "a"}, by="Ann")
    finally:
        act_as("", "page")
    if job.pid:
        os.kill(job.pid, signal.SIGKILL)
    ended(workspace, job)
    (row,) = acts(workspace)
    assert (row.who, row.kind, row.what) == ("Ann", "start", job.title)


def test_stopping_interrupts_the_process_that_holds_the_lock(workspace: Workspace) -> None:
    process = sleeper(write_job(workspace))
    (job,) = all_jobs(workspace)
    assert stop(workspace, job)
    _, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode != 0
    (job,) = all_jobs(workspace)
    assert not job.running
    assert [(item.kind, item.what) for item in acts(workspace)] == [("stop", job.title)]


def test_a_number_in_a_file_is_nobodys_process(workspace: Workspace) -> None:
    folder = write_job(workspace)
    (folder / "begun.json").write_text(json.dumps({"pid": os.getpid()}))
    (job,) = all_jobs(workspace)
    assert (job.pid, stop(workspace, job)) == (0, False), "it holds no lock"


def test_a_job_that_never_came_up_is_not_at_work_for_ever(workspace: Workspace) -> None:
    write_job(workspace, started_at=(datetime.now(UTC) - timedelta(minutes=2)).isoformat())
    (job,) = all_jobs(workspace)
    assert (job.state, job.running) == ("killed", False)


@pytest.mark.parametrize(
    "asked",
    [
        {"kind": "shell"},
        {"choices": ["x"]},
        {"files": "x"},
        {"started_at": "yesterday"},
        {"started_at": "2026-01-01T00:00:00"},
    ],
)
def test_a_strangers_file_that_is_no_job_is_left_out(workspace: Workspace, asked: dict[str, object]) -> None:
    write_job(workspace, **asked)
    assert all_jobs(workspace) == []


def test_a_strangers_job_runs_nothing_but_what_a_page_could_start(workspace: Workspace, tmp_path: Path) -> None:
    canary = tmp_path / "canary.mp4"
    folder = write_job(workspace, kind="convert", choices={"output": str(canary)})
    with pytest.raises(StageError, match="there is no choice 'output'"):
        run_job(workspace.root, folder.name)
    (job,) = all_jobs(workspace)
    with pytest.raises(StageError):
        go_on(workspace, job)
    taking = write_job(
        workspace,
        "20260102-030405-abcdee",
        kind="ingest",
        choices={"side": "a"},
        files=["/etc"],
        started_at="2026-01-01T00:00:00+00:00",
    )
    job = find_job(workspace, taking.name)
    assert job is not None
    assert not job.may_go_on, "paths are named by the person who clicks"
    assert not canary.exists()


def test_reading_jobs_writes_nothing(workspace: Workspace) -> None:
    folder = write_job(workspace)
    assert find_job(workspace, folder.name) is not None
    assert [path.name for path in folder.iterdir()] == ["job.json"]
    assert find_job(workspace, "../../etc") is None
    assert not (workspace.root / "uploads").exists()
