"""A whole marketplace on loopback for browser tests: requester, workers, HITs; and headless Chromium."""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from galloway.mturk.marketplace.app import add_requester
from galloway.mturk.marketplace.config import MarketConfig
from galloway.mturk.marketplace.serve import RunningMarketplace
from galloway.mturk.requester.answers import parse_answer
from PIL import Image
from playwright.sync_api import Browser, BrowserType, Page, ViewportSize, expect, sync_playwright

__all__ = ["PHONE", "Site", "chromium", "launched", "picture", "site"]

expect.set_options(timeout=30_000)  # as long as every other step of the browser may take
PHONE = ViewportSize(width=390, height=844)


def picture(colour: str, pixels: int = 24) -> str:
    """A picture of one colour as a data: URL."""
    out = io.BytesIO()
    Image.new("RGB", (pixels, pixels), colour).save(out, "PNG")
    return "data:image/png;base64," + base64.b64encode(out.getvalue()).decode()


def launched(kind: BrowserType) -> Browser:
    """A browser process of its own: the machine's Chromium, headless. Whoever asks for it closes it."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return kind.launch(executable_path=found, args=["--no-sandbox"])


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = launched(playwright.chromium)
        try:
            yield browser
        finally:
            browser.close()


class Site:
    """A running marketplace with one requester."""

    def __init__(self, running: RunningMarketplace, client: Any) -> None:
        self.running, self.client = running, client
        self.work = running.market.work
        self.addresses = running.addresses

    def publish(self, question_xml: str, *, title: str = "Look at faces", places: int = 3) -> str:
        """The id of a new HIT."""
        made = self.client.create_hit(
            Title=title,
            Description="A test.",
            Reward="0.15",
            LifetimeInSeconds=3600,
            AssignmentDurationInSeconds=1800,
            MaxAssignments=places,
            Question=question_xml,
        )
        return str(made["HIT"]["HITId"])

    def invite(self) -> str:
        """An invite link for one."""
        return f"{self.addresses.worker}/join/{self.work.invite().token}"

    def join(self, page: Page, name: str) -> None:
        """Sign up through the page."""
        page.goto(self.invite())
        page.get_by_label("Choose a name").fill(name)
        page.get_by_label("Choose a password").fill("correct horse")
        page.get_by_role("button", name="Join").click()
        page.wait_for_selector("text=Welcome")

    def accept(self, page: Page, hit_id: str) -> str:
        """Accept a HIT through the page; the assignment's id."""
        group = self.client.get_hit(HITId=hit_id)["HIT"]["HITGroupId"]
        page.goto(f"{self.addresses.worker}/projects/{group}/tasks/{hit_id}")
        page.get_by_role("button", name="Accept").click()
        page.wait_for_url("**/work/*")
        return page.url.rsplit("/", 1)[-1]

    def answers(self, hit_id: str) -> list[dict[str, str]]:
        """What was submitted for a HIT."""
        found = self.client.list_assignments_for_hit(HITId=hit_id)["Assignments"]
        return [parse_answer(item["Answer"]) for item in found]


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """A marketplace under waitress, with its state in `folder`."""
    with RunningMarketplace(MarketConfig(state_dir=folder)) as running:
        key, secret = add_requester(running.market.store, "A studio")
        client = boto3.client(
            "mturk",
            endpoint_url=running.addresses.api,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 0}, proxies={}),
        )
        try:
            yield Site(running, client)
        finally:
            client.close()
