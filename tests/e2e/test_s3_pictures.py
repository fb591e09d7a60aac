"""Pictures in an S3 bucket: there before anybody is paid to look at them, gone when no page shows them any more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from galloway.curation.types import Side
from galloway.mturk.marketplace.app import add_requester
from galloway.mturk.marketplace.config import MarketConfig
from galloway.mturk.marketplace.serve import RunningMarketplace
from galloway.pipeline.app import App
from galloway.pipeline.workspace.records import sources
from moto.server import ThreadedMotoServer
from PIL import Image

from tests.support.workspace import answer_at, built_app, galloway, kill_until_done

_SETTINGS = """
[market]
name = "{market}"

[hosting]
s3_bucket = "faces"
s3_endpoint = "{s3}"
s3_access_key = "s3-key"

[ask]
learn = false
votes = 2
faces_per_hit = 5
audit_share = 0

[side_a]
questions = ["identity"]

[side_b]
questions = ["usable"]
"""


@dataclass
class Shop:
    """A workspace whose market is somebody else's and whose pictures are in a bucket."""

    app: App
    market: RunningMarketplace
    bucket: Any
    environment: dict[str, str]

    def run(self, *args: str) -> str:
        done = galloway(self.app, *args, environment=self.environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def stored(self) -> int:
        return int(self.bucket.list_objects_v2(Bucket="faces")["KeyCount"])

    def pages(self) -> list[str]:
        """The questions of all HITs that stand at the market."""
        with self.app.market() as session:
            return [hit.question_xml for hit in session.client.list_hits()]

    def links(self) -> list[str]:
        return [unescape(link) for page in self.pages() for link in re.findall(r'src="(http[^"]+)"', page)]

    def answer(self) -> int:
        def invite() -> str:
            token = self.market.market.work.invite(note="tests", uses=2).token
            return f"{self.market.addresses.worker}/join/{token}"

        return answer_at(self.app, self.market.addresses.worker, invite)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    endpoint = "http://{}:{}".format(*s3.get_host_and_port())
    with urlopen(Request(f"{endpoint}/moto-api/reset", method="POST"), timeout=10):
        pass  # moto's buckets are the process's, not the server's
    (tmp_path / "market").mkdir()
    with RunningMarketplace(MarketConfig(state_dir=tmp_path / "market")) as market:
        access, secret = add_requester(market.market.store, "shop")
        environment = {
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret,
            "GALLOWAY_HOSTING__S3_SECRET_KEY": "s3-secret",
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        settings = _SETTINGS.format(market=market.addresses.api, s3=endpoint)
        app = built_app(tmp_path / "w", faces=10, settings=settings)
        Image.new("RGB", (64, 64), (90, 120, 60)).save(app.workspace.references_dir(Side.A) / "second.png")
        yield Shop(app, market, boto3.client("s3", endpoint_url=endpoint, region_name="us-east-1"), environment)
    s3.stop()


def status_of(link: str) -> int:
    try:
        with urlopen(link, timeout=10) as answer:
            assert answer.headers["Content-Type"] == "image/jpeg"
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_pictures_come_before_the_first_hit_and_go_with_the_last(shop: Shop) -> None:
    refused = galloway(shop.app, "publish", "--yes", environment=shop.environment)
    assert (refused.returncode, "bucket 'faces' refused put_object" in refused.stderr) == (1, True), refused.stderr
    assert shop.pages() == [], "nobody is paid to look at what cannot be seen"
    shop.bucket.create_bucket(Bucket="faces")
    shop.run("publish", "--yes")
    links = shop.links()
    # Two pages of five faces a side, beside photographs of the person: two of side A, one of side B.
    assert (len(shop.pages()), len(links), len({link.split("?")[0] for link in links})) == (4, 4 * 5 + 2 * 2 + 2, 23)
    assert {status_of(link) for link in links} == {200}
    assert shop.answer() == 2 * 4
    shop.run("collect")
    assert shop.stored() == 0
    assert {status_of(link) for link in links} == {404}


def test_a_batch_taken_back_takes_its_pictures_along_and_leaves_the_others(shop: Shop) -> None:
    shop.bucket.create_bucket(Bucket="faces")
    shop.bucket.put_object(Bucket="faces", Key="faces/of-somebody-else.jpg", Body=b"x")
    shop.run("publish", "--yes")
    assert shop.stored() == 1 + 20 + 3
    batches = sorted(row["batch_key"] for row in shop.app.ledger.batches())
    shop.run("batch", "cancel", batches[0])
    assert shop.stored() == 1 + 10 + 1
    assert {status_of(link) for link in shop.links()} == {200}
    shop.run("batch", "cancel", batches[1])
    assert shop.stored() == 1


def test_who_is_erased_leaves_the_bucket_too(shop: Shop) -> None:
    shop.bucket.create_bucket(Bucket="faces")
    shop.run("publish", "--yes")
    left = [item["Key"] for item in shop.bucket.list_objects_v2(Bucket="faces")["Contents"]][:3]
    for row in shop.app.ledger.batches():
        shop.run("batch", "cancel", row["batch_key"])
    for key in left:
        shop.bucket.put_object(Bucket="faces", Key=key, Body=b"as a cancel that was killed leaves it")
    person = next(item.person for item in sources(shop.app.workspace, Side.B))
    assert "s3://" not in shop.run("person", "erase", person, "--yes")
    assert shop.stored() == 0
    elsewhere = {**shop.environment, "GALLOWAY_HOSTING__S3_BUCKET": "gone"}
    stranger = galloway(shop.app, "person", "erase", "Nobody", "--yes", environment=elsewhere)
    assert stranger.returncode == 0 and "left: s3://gone/" in stranger.stdout, "what could not be reached is named"


def test_killed_again_and_again_every_page_that_stands_shows_its_pictures(shop: Shop) -> None:
    shop.bucket.create_bucket(Bucket="faces")
    kills, _ = kill_until_done(shop.app, "publish", "--yes", environment=shop.environment)
    assert kills >= 2
    assert (len(shop.pages()), shop.stored()) == (4, 23)
    assert {status_of(link) for link in shop.links()} == {200}
