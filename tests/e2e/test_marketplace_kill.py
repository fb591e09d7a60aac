"""A marketplace that is killed while people work: nothing lost, nothing doubled, nothing over-filled."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.market_server import Server
from bench.marketplace import run
from tests.support.postgres import postgres_url


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from postgres_url(tmp_path_factory.mktemp("postgres"))


@pytest.mark.slow
def test_two_kills_change_no_total(tmp_path: Path) -> None:
    figures = run(workers=6, total=60, kills=2, state=tmp_path)
    assert figures["kills"] == 2 and figures["assignments"] == 60
    broken = {name: figures[name] for name in ("missing", "lost", "doubled", "overfilled")}
    assert broken == dict.fromkeys(broken, 0)


@pytest.mark.slow
@pytest.mark.postgresql
def test_one_of_two_servers_is_killed_and_the_other_goes_on(tmp_path: Path, postgresql: str) -> None:
    server, beside = (Server(tmp_path, postgresql) for _ in range(2))
    figures = run(workers=8, total=100, kills=2, state=tmp_path, server=server, beside=beside)
    assert (figures["kills"], figures["servers"], figures["assignments"]) == (2, 2, 100)
    broken = {name: figures[name] for name in ("missing", "lost", "doubled", "overfilled")}
    assert broken == dict.fromkeys(broken, 0)
