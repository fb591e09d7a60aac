"""A database that goes away while people work: their answers come back to them, one line in the log, and it goes on."""

from __future__ import annotations

import logging
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from galloway.mturk.marketplace.app import MarketConfig, add_requester
from galloway.mturk.marketplace.serve import RunningMarketplace

from tests.support.marketplace import html_question
from tests.support.postgres import Postgres

pytestmark = pytest.mark.postgresql


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path, durable=True)
    server.start()
    yield server
    server.stop()
    server.remove()


def ask(url: str, fields: dict[str, str] | None = None, cookie: str = "") -> tuple[int, str]:
    request = urllib.request.Request(url, urlencode(fields).encode() if fields else None, {"Cookie": cookie})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def test_answers_come_back_and_are_sent_again(
    tmp_path: Path, database: Postgres, caplog: pytest.LogCaptureFixture
) -> None:
    config = MarketConfig(state_dir=tmp_path / "state", database_url=database.url)
    with RunningMarketplace(config) as running, caplog.at_level(logging.WARNING):
        access, secret = add_requester(running.market.store, "Ada")
        client = boto3.client(
            "mturk", endpoint_url=running.addresses.api, region_name="us-east-1",
            aws_access_key_id=access, aws_secret_access_key=secret, config=Config(retries={"max_attempts": 0}),
        )  # fmt: skip
        hit = client.create_hit(
            Title="t", Description="d", Reward="0.05", LifetimeInSeconds=3600, AssignmentDurationInSeconds=600,
            Question=html_question(),
        )["HIT"]["HITId"]  # fmt: skip
        desk = running.market.work
        session = desk.join(desk.invite().token, name="ann", password="correct horse")
        cookie = f"market_{running.market.config.worker_port}={session.token}"
        held = desk.accept(session.worker.worker_id, hit_id=hit).assignment_id
        form = {"assignmentId": held, "face.k1": "keep this answer"}
        database.stop()
        for _ in range(20):
            status, page = ask(f"{running.addresses.frames}/mturk/externalSubmit", form)
            assert status == 503 and "keep this answer" in page and held in page
            status, page = ask(f"{running.addresses.worker}/projects", cookie=cookie)
            assert status == 503 and "What you sent before is safe" in page
            with pytest.raises(ClientError, match="does not answer just now"):
                client.get_account_balance()
        told = [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(told) == 1, [record.getMessage() for record in told]
        assert "does not answer" in told[0].getMessage() and told[0].exc_info is None
        assert "keep this answer" not in caplog.text and held not in caplog.text
        database.start()
        statuses = [ask(f"{running.addresses.frames}/mturk/externalSubmit", form)[0] for _ in range(3)]
        assert statuses[-1] == 200
        (found,) = client.list_assignments_for_hit(HITId=hit)["Assignments"]
        assert "keep this answer" in found["Answer"]
