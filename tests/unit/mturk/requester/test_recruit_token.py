"""Where a panel's token may lie, and where it may be sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from galloway.mturk.requester.errors import PanelError
from galloway.mturk.requester.recruit.secret import find_token
from galloway.mturk.requester.recruit.transport import http_transport

from tests.support.prolific import TOKEN


def test_a_token_comes_from_the_environment_or_from_a_file_that_is_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "prolific.token"
    with pytest.raises(PanelError, match="There is no token") as caught:
        find_token("prolific", tmp_path, {})
    assert "chmod 600" in str(caught.value)
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o640)
    with pytest.raises(PanelError, match=r"mode 0640.*chmod 600") as caught:
        find_token("prolific", tmp_path, {})
    assert TOKEN not in str(caught.value)
    path.chmod(0o600)
    assert find_token("prolific", tmp_path, {}).reveal() == TOKEN
    assert find_token("prolific", tmp_path / "no", {"PROLIFIC_TOKEN_FILE": str(path)}).reveal() == TOKEN
    assert find_token("prolific", tmp_path / "no", {"PROLIFIC_TOKEN": TOKEN}).reveal() == TOKEN
    with pytest.raises(PanelError, match="is no token") as caught:
        find_token("prolific", tmp_path, {"PROLIFIC_TOKEN": f"{TOKEN}\nX-Evil: 1"})
    assert TOKEN not in str(caught.value)


def test_tokens_go_over_tls_or_to_this_machine_only() -> None:
    for wrong in ("http://api.prolific.com", "ftp://127.0.0.1", "", "http://127.0.0.1.example.org"):
        with pytest.raises(PanelError, match="https is expected"):
            http_transport(wrong)
