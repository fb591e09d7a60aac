"""Several servers of one marketplace on one database: one key, one operator's link, a row each."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from galloway.mturk.marketplace.app import MarketConfig, Marketplace, open_store
from galloway.mturk.marketplace.errors import OperatorError
from galloway.mturk.marketplace.office.operator import Operator
from galloway.mturk.marketplace.serve import RunningMarketplace
from galloway.mturk.marketplace.store.server_tables import server
from galloway.pipeline.cli.main import cli

from tests.contract.marketplace.conftest import Starter
from tests.support.marketplace import Bench

on_postgresql = pytest.mark.parametrize(
    "start", [pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True
)


@on_postgresql
def test_a_server_without_the_key_is_refused_and_one_with_it_serves_the_same(start: Starter, tmp_path: Path) -> None:
    bench = start()
    bench.market.operator.share_token()
    mine, theirs = bench.market.config.state_dir, tmp_path / "second"
    config = replace(bench.market.config, state_dir=theirs)
    with pytest.raises(OperatorError, match=r"Copy market\.key from the first server's folder"):
        Marketplace(config)
    assert not (theirs / "market.key").exists(), "nothing in the way of copying it"
    (theirs / "market.key").write_bytes(b"another key of thirty-two bytes!")
    with pytest.raises(OperatorError, match=r"does not hold the market\.key"):
        Marketplace(config)
    shutil.copy(mine / "market.key", theirs / "market.key")
    second = Marketplace(config)
    assert second.operator.token == bench.market.operator.token
    hit, worker = bench.hit()["HITId"], bench.worker()
    held = bench.work.held(worker, bench.work.accept(worker, hit_id=hit).assignment_id)
    token = held.frame_url.split("/frame/")[1].split("?")[0]
    assert second.work.open_frame(token).assignment_id == held.assignment_id
    second.close()


def test_each_server_has_a_row_and_takes_away_its_own(bench: Bench) -> None:
    first, second = Marketplace(bench.market.config), Marketplace(bench.market.config)
    first.enlist()
    second.enlist()
    told = {item.id for item in bench.market.operator.servers()}
    assert told == {first.server_id, second.server_id}
    first.close()
    assert [item.id for item in bench.market.operator.servers()] == [second.server_id]
    bench.clock.forward(seconds=61)
    assert bench.market.operator.servers() == (), "a killed server is gone when it was not seen for a minute"
    second.close()
    with bench.market.store.read() as tx:
        assert tx.conn.scalar(sa.select(sa.func.count()).select_from(server)) == 0


def test_an_invite_names_the_server_that_answers_whatever_record_was_overwritten(tmp_path: Path) -> None:
    config = MarketConfig(state_dir=tmp_path)
    run = CliRunner()
    with RunningMarketplace(config) as running:
        (tmp_path / "running.json").write_text(json.dumps({"worker": "http://127.0.0.1:1"}))
        told = run.invoke(cli, ["market", "--state", str(tmp_path), "worker", "invite"], catch_exceptions=False)
        assert told.stdout.startswith(f"{running.addresses.worker}/join/")
        listed = run.invoke(cli, ["market", "--state", str(tmp_path), "servers", "--json"], catch_exceptions=False)
        assert [row["worker"] for row in json.loads(listed.stdout)] == [running.addresses.worker]
    listed = run.invoke(cli, ["market", "--state", str(tmp_path), "servers"], catch_exceptions=False)
    assert "No server answers" in listed.output


def test_the_operators_link_of_a_folder_of_before_becomes_everybodys(tmp_path: Path) -> None:
    (tmp_path / "operator.token").write_text("the token of before")
    store = open_store(MarketConfig(state_dir=tmp_path))
    assert Operator(store).share_token() == "the token of before"
    (tmp_path / "operator.token").unlink()
    assert Operator(store).token == "the token of before"
    store.close()
