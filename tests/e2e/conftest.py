"""What the tests in a browser share: one browser and one marketplace for a file of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.support.sites import Site, chromium, site


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with site(tmp_path_factory.mktemp("market")) as found:
        yield found


@pytest.fixture(scope="module")
def worker(browser: Browser, market: Site) -> Iterator[Page]:
    """A page on which Ann, who works here, is signed in."""
    context = browser.new_context()
    page = context.new_page()
    market.join(page, "ann")
    yield page
    context.close()
