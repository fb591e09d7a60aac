"""A signed-in browser on the worker site, and the frame origin, over a marketplace in memory."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from galloway.mturk.marketplace.pages import create_frame_app, create_worker_app

from tests.support.pages import FakeDesk, FakeWork, config


@pytest.fixture
def work() -> FakeWork:
    return FakeWork()


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def stranger(work: FakeWork, desk: FakeDesk) -> FlaskClient:
    return create_worker_app(work, config(), desk).test_client()


@pytest.fixture
def worker(stranger: FlaskClient) -> FlaskClient:
    stranger.post("/join/inv1", data={"name": "ann", "password": "secret123"})
    return stranger


@pytest.fixture
def frame(work: FakeWork) -> FlaskClient:
    return create_frame_app(work, config()).test_client()
