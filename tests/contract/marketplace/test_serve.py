"""The three servers on real ports: boto3 over HTTP, a worker's answer over HTTP, the ticker, the command line."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import boto3
import pytest
from click.testing import CliRunner
from galloway.mturk.marketplace.app import MarketConfig, add_requester
from galloway.mturk.marketplace.serve import RunningMarketplace
from galloway.pipeline.cli.main import cli

from tests.support.marketplace import html_question


def test_boto3_and_a_worker_over_http(tmp_path: Path) -> None:
    with RunningMarketplace(MarketConfig(state_dir=tmp_path)) as running:
        key, secret = add_requester(running.market.store, "Ada")
        client = boto3.client(
            "mturk",
            endpoint_url=running.addresses.api,
            region_name="eu-west-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
        )
        hit = client.create_hit(
            Title="t",
            Description="d",
            Reward="0.05",
            LifetimeInSeconds=60,
            AssignmentDurationInSeconds=60,
            Question=html_question(),
        )["HIT"]
        work = running.market.work
        worker = work.join(work.invite().token, name="ann", password="correct horse").worker.worker_id
        held = work.accept(worker, hit_id=hit["HITId"])
        assert work.held(worker, held.assignment_id).frame_url.startswith(running.addresses.frames)
        form = urllib.parse.urlencode({"assignmentId": held.assignment_id, "q": "yes"}).encode()
        with urllib.request.urlopen(f"{running.addresses.frames}/mturk/externalSubmit", form) as answer:
            assert answer.status == 200
        (found,) = client.list_assignments_for_hit(HITId=hit["HITId"])["Assignments"]
        assert found["AssignmentId"] == held.assignment_id and "yes" in found["Answer"]
        with urllib.request.urlopen(f"{running.addresses.worker}/sign-in") as page:
            assert page.status == 200
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(running.addresses.api)


def test_behind_a_proxy_one_strangers_failures_lock_nobody_else_out(tmp_path: Path) -> None:
    config = MarketConfig(state_dir=tmp_path, worker_url="https://work.example", frame_url="https://frames.example")
    with RunningMarketplace(config) as running:
        desk = running.market.work
        desk.join(desk.invite().token, name="ann", password="correct horse")
        port = running.market.config.worker_port

        def sign_in(name: str, password: str, address: str) -> int:
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            form = urllib.parse.urlencode({"name": name, "password": password})
            headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": address}
            asked.request("POST", "/sign-in", form, headers)
            status = asked.getresponse().status
            asked.close()
            return status

        tried = [sign_in(f"guess {number}", "wrong password", "8.8.8.8") for number in range(11)]
        assert tried[-1] == 429
        assert sign_in("ann", "correct horse", "8.8.4.4") == 303


def market(state: Path, *arguments: str) -> str:
    """stdout of `galloway market --state STATE …`."""
    done = CliRunner().invoke(cli, ["market", "--state", str(state), *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_line_manages_requesters_and_workers(tmp_path: Path) -> None:
    keys = json.loads(market(tmp_path, "requester", "add", "Vision lab", "--json"))
    assert keys["access_key"].startswith("GLWY") and len(keys["secret_key"]) == 40
    assert market(tmp_path, "requester", "fund", "Vision lab", "2.50").strip() == "2.50"
    page = tmp_path / "page.html"
    page.write_text("<p>${name}</p>")
    assert len(market(tmp_path, "requester", "layout", "Vision lab", "grid", str(page)).strip()) == 30
    link = market(tmp_path, "worker", "invite", "--uses", "2").strip()
    assert link.startswith("/join/")
    (tmp_path / "ports.json").write_text("[4710, 4711, 4712]")
    assert market(tmp_path, "worker", "invite").startswith("http://127.0.0.1:4711/join/"), "the port of last time"
    from galloway.mturk.marketplace.app import open_store
    from galloway.mturk.marketplace.desk.work import Work

    store = open_store(MarketConfig(state_dir=tmp_path))
    token = link.removeprefix("/join/")
    worker = Work(store).join(token, name="ann", password="correct horse").worker.worker_id
    store.close()
    market(tmp_path, "worker", "mark", worker, "--masters", "--adult")
    assert json.loads(market(tmp_path, "worker", "export", worker))["worker"]["masters"] is True
    assert worker in market(tmp_path, "worker", "list")
    market(tmp_path, "worker", "erase", worker, "--yes")
    assert json.loads(market(tmp_path, "worker", "list", "--json"))[0]["name"] == ""
    assert "Vision lab" in market(tmp_path, "requester", "list")
    market(tmp_path, "requester", "revoke", "Vision lab")
    assert json.loads(market(tmp_path, "requester", "list", "--json")) == []
