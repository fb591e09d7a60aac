"""Opening a market that is not this workspace's own: keys, fees, and pictures that its workers can reach."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from galloway.pipeline.errors import StageError
from galloway.pipeline.market.session import open_market
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.folder import Workspace

URL = "https://market.example:8443"


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "GLWYKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("GALLOWAY_HOSTING__PUBLIC_URL", "https://faces.example/")
    monkeypatch.setenv("GALLOWAY_MARKET__FEE_PERCENT", "12.5")
    workspace, _ = make_workspace(tmp_path / "shop")
    return workspace


def test_another_marketplace_takes_the_fee_that_is_set_and_aws_its_own(workspace: Workspace) -> None:
    with open_market(workspace, URL) as session:
        assert session.market.paying
        assert session.market.fees.per_assignment(Decimal("0.80"), 3) == Decimal("0.10")
    with open_market(workspace, "aws-sandbox") as session:
        assert session.market.fees.per_assignment(Decimal("0.80"), 3) == Decimal("0.16")


def test_without_keys_nothing_is_opened_and_without_a_place_for_pictures_none_is_shown(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(StageError, match="AWS_SECRET_ACCESS_KEY"), open_market(workspace, URL):
        pass
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.delenv("GALLOWAY_HOSTING__PUBLIC_URL")
    hidden = Workspace.open(workspace.root)
    with open_market(hidden, URL) as session, pytest.raises(StageError, match=r"hosting\.public_url"):
        assert session.hosting
