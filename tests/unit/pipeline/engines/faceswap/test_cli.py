"""`galloway faceswap check` as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from galloway.pipeline.cli.faceswap import faceswap
from galloway.pipeline.engines.base import EngineError

from tests.support.faceswap import standin_home, standin_python


def test_check_lists_what_is_there_and_what_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACESWAP_BACKEND", raising=False)
    monkeypatch.setenv("GALLOWAY_FACESWAP_HOME", str(standin_home(tmp_path / "fs", "master")))
    monkeypatch.setenv("GALLOWAY_FACESWAP_PYTHON", str(standin_python(tmp_path, "master")))
    result = CliRunner().invoke(faceswap, ["check"])
    assert result.exit_code == 0
    assert "ok   faceswap torch: Torch 2.9.1" in result.output
    assert "look faceswap weights: missing: s3fd, fan" in result.output
    values = json.loads(CliRunner().invoke(faceswap, ["check", "--json"]).output)
    assert (values["line"], values["usable"]) == ("master", True)


def test_check_fails_where_the_python_is_the_wrong_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLOWAY_FACESWAP_HOME", str(standin_home(tmp_path / "fs", "v2.3.0")))
    monkeypatch.setenv("GALLOWAY_FACESWAP_PYTHON", str(tmp_path / "nowhere"))
    result = CliRunner().invoke(faceswap, ["check"])
    assert result.exit_code == 1 and "GALLOWAY_FACESWAP_PYTHON" in result.output


def test_without_a_faceswap_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GALLOWAY_FACESWAP_HOME", raising=False)
    result = CliRunner().invoke(faceswap, ["check"])
    assert isinstance(result.exception, EngineError) and "GALLOWAY_FACESWAP_HOME" in str(result.exception)
