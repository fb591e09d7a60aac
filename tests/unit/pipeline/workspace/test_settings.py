"""Settings: the file under the environment, and errors that name the key."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from galloway.curation.types import Question
from galloway.pipeline.errors import WorkspaceError
from galloway.pipeline.workspace.settings import load_settings
from pydantic import ValidationError


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "galloway.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_is_read_and_the_rest_are_defaults(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, '[ask]\nreward = "0.20"\n[side_b]\nquestions = ["usable"]\n'))
    assert settings.ask.reward == Decimal("0.20")
    assert settings.side_b.questions == (Question.USABLE,)
    assert settings.market.name == "local"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLOWAY_ASK__VOTES", "5")
    monkeypatch.setenv("GALLOWAY_FACESWAP_HOME", "/opt/somewhere")
    settings = load_settings(write(tmp_path, '[ask]\nvotes = 2\nreward = "0.11"\n'))
    assert (settings.ask.votes, settings.ask.reward) == (5, Decimal("0.11"))
    assert settings.engine.faceswap_home == Path("/opt/somewhere")


def test_a_value_that_cannot_be_used_is_named_with_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, "[ask]\nvotes = 0\n")
    with pytest.raises(WorkspaceError, match=r"galloway\.toml.*ask\.votes"):
        load_settings(path)


def test_an_unknown_key_is_an_error_and_not_ignored(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match=r"ask\.vots"):
        load_settings(write(tmp_path, "[ask]\nvots = 3\n"))


def test_broken_toml_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(WorkspaceError, match="not valid TOML"):
        load_settings(write(tmp_path, "[ask\n"))


def test_settings_are_frozen(tmp_path: Path) -> None:
    settings = load_settings(write(tmp_path, ""))
    with pytest.raises(ValidationError):
        settings.ask.votes = 9  # type: ignore[misc]


@pytest.mark.parametrize("line", ["as_good_as = 5", "as_good_as_loss = 0.02", 'copies = "once"', "copies_audit = 0"])
def test_a_setting_that_is_gone_is_named_with_what_to_do(tmp_path: Path, line: str) -> None:
    key = line.partition(" ")[0]
    with pytest.raises(WorkspaceError, match=rf"galloway\.toml: {key} under \[ask\] is no setting.*Delete the line\."):
        load_settings(write(tmp_path, f"[ask]\n{line}\n"))


def test_a_setting_that_is_gone_is_named_in_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLOWAY_ASK__COPIES", "once")
    with pytest.raises(WorkspaceError, match=r"GALLOWAY_ASK__COPIES in the environment.*Unset it\."):
        load_settings(None)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("GALLOWAY_ASK__MAX_VOTES", "abc", "valid integer"),
        ("GALLOWAY_ASK__VOTS", "3", "not permitted"),
        ("GALLOWAY_SIDE_B__QUESTIONS", "usable", "written as JSON"),
        ("GALLOWAY_ASKS__VOTES", "3", r"names \[asks\], which is no table of settings"),
    ],
)
def test_a_wrong_variable_is_named_and_not_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    path = write(tmp_path, "[ask]\nvotes = 3\n")
    monkeypatch.setenv(name, value)
    with pytest.raises(WorkspaceError, match=rf"{name} in the environment.*{words}") as told:
        load_settings(path)
    assert "galloway.toml" not in str(told.value)
    path.write_text("[ask]\nreward = 0\n", encoding="utf-8")
    if name == "GALLOWAY_ASK__MAX_VOTES":
        with pytest.raises(WorkspaceError, match=rf"galloway\.toml has .*ask\.reward.*; {name} in the environment"):
            load_settings(path)


def test_people_are_paid_within_a_week(tmp_path: Path) -> None:
    toml = tmp_path / "galloway.toml"
    toml.write_text("[ask]\nauto_approve_hours = 168\n")
    assert load_settings(toml).ask.auto_approve_hours == 168
    toml.write_text("[ask]\nauto_approve_hours = 169\n")
    with pytest.raises(WorkspaceError, match="auto_approve_hours"):
        load_settings(toml)
