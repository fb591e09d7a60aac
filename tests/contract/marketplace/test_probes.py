"""What watches a server: health that knows the database, metrics that name nobody."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from galloway.mturk.marketplace.app import MarketConfig
from galloway.mturk.marketplace.probes import Probes
from galloway.mturk.marketplace.serve import RunningMarketplace

from tests.support.marketplace import Bench, call_wsgi
from tests.support.postgres import Postgres

LINE = re.compile(r'# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.]+')


def look(url: str, **headers: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_every_part_says_that_it_is_well_and_the_api_how_much_there_is(tmp_path: Path) -> None:
    with RunningMarketplace(MarketConfig(state_dir=tmp_path)) as running:
        for url in (running.addresses.api, running.addresses.worker, running.addresses.frames):
            status, text = look(f"{url}/healthz")
            assert (status, json.loads(text)) == (200, {"status": "ok", "database": "sqlite"})
        assert look(f"{running.addresses.worker}/sign-in")[0] == 200
        assert look(f"{running.addresses.worker}/nothing")[0] == 404
        status, text = look(f"{running.addresses.api}/metrics")
        assert status == 200
        assert [line for line in text.splitlines() if not LINE.fullmatch(line)] == []
        assert 'galloway_requests_total{part="worker",status="2xx"} 1' in text
        assert 'galloway_requests_total{part="worker",status="4xx"} 1' in text
        assert 'galloway_request_seconds_bucket{part="worker",le="+Inf"} 2' in text
        assert "galloway_database_up 1" in text and "galloway_servers 1" in text
        assert "galloway_" not in look(f"{running.addresses.worker}/metrics")[1]
        assert look(f"{running.addresses.api}/metrics", **{"X-Forwarded-For": "8.8.8.8"})[0] == 404


def test_metrics_count_and_name_nobody(bench: Bench) -> None:
    hit, worker = bench.hit(Title="A secret title"), bench.worker("ann with a name")
    bench.done(hit["HITId"], worker)
    text = Probes(bench.market.store).metrics()
    assert 'galloway_hits{status="Assignable"} 1' in text
    assert 'galloway_assignments{state="Submitted"} 1' in text
    assert "galloway_workers 1" in text
    for private in (hit["HITId"], worker, "ann", "secret", "Ada", bench.key):
        assert private not in text


def test_metrics_are_not_for_the_world(bench: Bench) -> None:
    app = Probes(bench.market.store).watch("api", bench.market.api_wsgi)

    def from_outside(environ, start_response):  # type: ignore[no-untyped-def]
        return app({**environ, "REMOTE_ADDR": "8.8.8.8"}, start_response)

    assert call_wsgi(from_outside, "GET", "http://market.test/metrics", {}, b"")[0] == 404
    assert call_wsgi(from_outside, "GET", "http://market.test/healthz", {}, b"")[0] == 200


@pytest.mark.postgresql
def test_health_knows_that_the_database_is_away(tmp_path: Path) -> None:
    database = Postgres(tmp_path)
    database.start()
    try:
        config = MarketConfig(state_dir=tmp_path / "state", database_url=database.url)
        with RunningMarketplace(config) as running:
            assert look(f"{running.addresses.worker}/healthz")[0] == 200
            database.stop()
            status, text = look(f"{running.addresses.worker}/healthz")
            assert (status, json.loads(text)["database"]) == (503, "does not answer")
            assert "galloway_database_up 0" in look(f"{running.addresses.api}/metrics")[1]
            database.start()
            assert [look(f"{running.addresses.worker}/healthz")[0] for _ in range(3)][-1] == 200
    finally:
        database.stop()
        database.remove()
