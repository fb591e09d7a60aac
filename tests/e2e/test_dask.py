"""A Dask cluster of two processes does the work: the same bytes, one of them killed or none, and refusals that help."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import replace
from pathlib import Path

import dask
import pytest
from distributed import LocalCluster
from galloway.curation.errors import WorkersLost
from galloway.curation.spread import Spread
from galloway.curation.types import Progress, no_progress
from galloway.pipeline.app import App
from galloway.pipeline.engines.base import ExtractRequest
from galloway.pipeline.engines.embedded.extract import extract
from galloway.pipeline.errors import StageError
from galloway.pipeline.spread import cluster as clusters
from galloway.pipeline.spread.cluster import Needs, on_cluster, sees
from galloway.pipeline.stages.setup import make_workspace

from tests.support.engines import filmed_frames, tree_digest, write_clip
from tests.support.spread import doubled
from tests.support.workspace import galloway


@pytest.fixture(scope="module")
def workers() -> Iterator[LocalCluster]:
    patient = {"distributed.comm.timeouts.connect": "180s", "distributed.comm.timeouts.tcp": "180s"}
    with (
        dask.config.set(patient),
        LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0", silence_logs=50
        ) as found,
    ):
        yield found


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy is no fault."""
    monkeypatch.setattr(clusters, "_CONNECT", 120.0)
    monkeypatch.setattr(clusters, "_FIRST", 120.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = filmed_frames(20)
    return write_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", [*frames, *frames[::-1], *frames, *frames[::-1]])


def extracted(root: Path, clip: Path, spread: Spread | None, progress: Progress = no_progress) -> dict[str, str]:
    extract(ExtractRequest(clip, root / "faces", root / "a.fsa", root / "work", size=64), progress, spread)
    journal = next((root / "work").glob("*.jsonl"))
    journal.write_text("\n".join(sorted(journal.read_text().splitlines())))
    return tree_digest(root)


def test_the_bytes_are_the_same_when_a_worker_is_killed_in_the_midst(
    tmp_path: Path, clip: Path, workers: LocalCluster
) -> None:
    alone = extracted(tmp_path / "alone", clip, None)
    killed: list[int] = []
    said: list[str] = []

    def progress(_what: str, done: int, _total: int | None) -> None:
        if done and not killed:
            killed.append(next(iter(workers.workers.values())).pid)
            os.kill(killed[0], signal.SIGKILL)

    with on_cluster(workers.scheduler_address, tmp_path, [clip], said.append) as spread:
        assert spread.workers == 2
        assert extracted(tmp_path / "cluster", clip, spread, progress) == alone
    assert killed
    assert said == [workers.dashboard_link]


def test_the_commands_say_where_the_dashboard_is(tmp_path: Path, clip: Path, workers: LocalCluster) -> None:
    workspace, _ = make_workspace(tmp_path / "ws")
    app = App(workspace)
    assert (
        galloway(app, "ingest", "--side", "b", "--person", "Eva", "--basis", "public-domain", str(clip)).returncode == 0
    )
    address = workers.scheduler_address
    done = galloway(app, "extract", "--every-nth", "4", "--dask", address)
    assert done.returncode == 0, done.stderr
    assert "faces in 20 frames" in done.stdout
    assert f"The cluster's dashboard: {workers.dashboard_link}" in done.stderr
    screened = galloway(app, "screen", "--side", "b", "--no-sheet", environment={"GALLOWAY_DASK": address})
    assert screened.returncode == 0, screened.stderr
    assert "dashboard" in screened.stderr
    both = galloway(app, "extract", "--again", "--jobs", "2", "--dask", address)
    assert (both.returncode, "choose one" in both.stderr) == (2, True)
    theirs = galloway(app, "extract", "--again", "--engine", "faceswap", "--jobs", "2")
    assert theirs.returncode == 1


def test_a_cluster_that_cannot_be_used_is_refused(tmp_path: Path, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_CONNECT", 0.5)
    with (
        pytest.raises(StageError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:9 .*dask scheduler"),
        on_cluster("tcp://127.0.0.1:9", tmp_path, [clip], print),
    ):
        pass


def test_a_cluster_that_goes_away_is_told_of_in_a_sentence(tmp_path: Path, workers: LocalCluster) -> None:
    with (
        pytest.raises(WorkersLost, match=r"The cluster at tcp://.* is gone. What is done is kept"),
        on_cluster(workers.scheduler_address, tmp_path, [], lambda _dashboard: None) as spread,
    ):
        assert list(spread.in_order(doubled, [1, 2])) == [2, 4]
        raise CancelledError  # what Dask makes of everything that waits when its scheduler does not answer any more


def test_a_worker_says_what_it_lacks(tmp_path: Path, clip: Path) -> None:
    sign = tmp_path / "sign"
    sign.write_text("word")
    version = clusters.importlib.metadata.version("galloway")
    needs = Needs(version, sign, "word", ((clip, clip.stat().st_size), (tmp_path, None)))
    assert sees(needs) == ""
    assert "install the same version there" in sees(replace(needs, version="0.0.1"))
    assert f"does not see {tmp_path} as it is here" in sees(replace(needs, word="another"))
    assert f"does not see {tmp_path / 'x'} as" in sees(replace(needs, sign=tmp_path / "x" / "sign"))
    assert f"does not see {clip} as it is here" in sees(replace(needs, files=((clip, 1),)))


class _Empty:
    """A client whose scheduler has no worker."""

    def wait_for_workers(self, _count: int, timeout: float) -> None:
        raise TimeoutError(f"none in {timeout} s")


def test_a_scheduler_without_a_worker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"has no worker\. Start some: dask worker tcp://10\.0\.0\.5:8786"):
        clusters._check(_Empty(), "tcp://10.0.0.5:8786", tmp_path, [])
