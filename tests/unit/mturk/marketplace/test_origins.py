"""Public addresses: what a browser could not use is refused before anything is served."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.mturk.marketplace.config import MarketConfig
from galloway.mturk.marketplace.errors import OperatorError
from galloway.mturk.marketplace.origins import with_origins
from galloway.mturk.marketplace.serve import RunningMarketplace

WORK, FRAMES = "https://work.example", "https://frames.example"


@pytest.mark.parametrize(
    ("addresses", "words"),
    [
        ({"worker_url": WORK, "frame_url": WORK}, "same origin"),
        ({"worker_url": WORK, "frame_url": "https://WORK.example:443/"}, "same origin"),
        ({"worker_url": "work.example", "frame_url": FRAMES}, "no public address"),
        ({"worker_url": WORK, "frame_url": "//frames.example"}, "no public address"),
        ({"worker_url": WORK, "frame_url": "ftp://frames.example"}, "no public address"),
        ({"worker_url": "https://work.example:port", "frame_url": FRAMES}, "no public address"),
        ({"worker_url": "https://ann:secret@work.example", "frame_url": FRAMES}, "no public address"),
        ({"worker_url": WORK}, "--frame-url is not given"),
        ({"frame_url": FRAMES}, "--worker-url is not given"),
        ({"worker_url": "https://team.example/market", "frame_url": FRAMES}, "has a path"),
        ({"worker_url": WORK, "frame_url": "https://team.example/frames"}, "has a path"),
        ({"api_url": "https://team.example/api"}, "has a path"),
        ({"worker_url": WORK, "frame_url": "http://frames.example"}, "TLS"),
    ],
)
def test_what_cannot_work_is_refused_in_words(tmp_path: Path, addresses: dict[str, str], words: str) -> None:
    with pytest.raises(OperatorError, match=words):
        RunningMarketplace(MarketConfig(state_dir=tmp_path / "m", **addresses))
    assert not (tmp_path / "m").exists(), "nothing was made"


def test_addresses_are_written_as_origins(tmp_path: Path) -> None:
    given = MarketConfig(
        state_dir=tmp_path, worker_url="HTTPS://Work.Example:443/", frame_url="https://frames.example:8443", api_url=""
    )
    found = with_origins(given)
    assert (found.worker_url, found.frame_url, found.api_url) == (WORK, "https://frames.example:8443", "")
