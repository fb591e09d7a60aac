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
        ({"host": "0.0.0.0"}, "0.0.0.0 stands for all addresses.*--worker-url and --frame-url"),
        ({"host": "::"}, ":: stands for all addresses"),
        ({"host": "0.0.0.0", "api_url": "https://api.example"}, "stands for all addresses"),
    ],
)
def test_what_cannot_work_is_refused_in_words(tmp_path: Path, addresses: dict[str, str], words: str) -> None:
    with pytest.raises(OperatorError, match=words):
        RunningMarketplace(MarketConfig(state_dir=tmp_path / "m", **addresses))
    assert not (tmp_path / "m").exists(), "nothing was made"


def test_an_ipv6_address_stands_in_brackets(tmp_path: Path) -> None:
    given = MarketConfig(state_dir=tmp_path, host="::1", api_port=1, worker_port=2, frame_port=3)
    found = with_origins(given).addresses
    assert (found.api, found.worker, found.frames) == ("http://[::1]:1", "http://[::1]:2", "http://[::1]:3")


def test_all_addresses_may_be_listened_on_behind_public_ones(tmp_path: Path) -> None:
    given = MarketConfig(state_dir=tmp_path, host="0.0.0.0", worker_url=WORK, frame_url=FRAMES)
    assert with_origins(given).addresses.worker == WORK


def test_addresses_are_written_as_origins(tmp_path: Path) -> None:
    given = MarketConfig(
        state_dir=tmp_path, worker_url="HTTPS://Work.Example:443/", frame_url="https://frames.example:8443", api_url=""
    )
    found = with_origins(given)
    assert (found.worker_url, found.frame_url, found.api_url) == (WORK, "https://frames.example:8443", "")
