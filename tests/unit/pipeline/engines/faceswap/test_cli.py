"""`galloway faceswap check` as it is typed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from galloway.pipeline.cli.faceswap import faceswap
from galloway.pipeline.cli.main import cli
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.workspace.programs import allow

from tests.support.faceswap import standin_home, standin_python


def test_check_lists_what_is_there_and_what_to_mend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FACESWAP_BACKEND", raising=False)
    monkeypatch.setenv("GALLOWAY_FACESWAP_HOME", str(standin_home(tmp_path / "fs", "master")))
    monkeypatch.setenv("GALLOWAY_FACESWAP_PYTHON", str(standin_python(tmp_path, "master")))
    result = CliRunner().invoke(faceswap, ["check"])
    assert result.exit_code == 0
    assert "ok   faceswap torch: Torch 2.9.1" in result.output
    assert "wish faceswap weights: missing: s3fd (s3fd_torch_v3.pth), fan" in result.output
    values = json.loads(CliRunner().invoke(faceswap, ["check", "--json"]).output)
    assert (values["line"], values["usable"]) == ("master", True)


def test_check_fails_where_the_python_is_the_wrong_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GALLOWAY_FACESWAP_HOME", str(standin_home(tmp_path / "fs", "v2.3.0")))
    monkeypatch.setenv("GALLOWAY_FACESWAP_PYTHON", str(tmp_path / "nowhere"))
    result = CliRunner().invoke(faceswap, ["check"])
    assert result.exit_code == 1 and "GALLOWAY_FACESWAP_PYTHON" in result.output


def test_doctor_wishes_for_weights_and_finds_no_fault_in_their_lack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FACESWAP_BACKEND", "cpu")
    monkeypatch.setenv("GALLOWAY_FACESWAP_HOME", str(standin_home(tmp_path / "fs", "v2.3.0")))
    monkeypatch.setenv("GALLOWAY_FACESWAP_PYTHON", str(standin_python(tmp_path, "v2.3.0")))
    said = CliRunner().invoke(cli, ["doctor"]).output
    assert re.search(r"^wish +faceswap +faceswap weights: missing: s3fd", said, re.MULTILINE)
    assert not re.search(r"^FAIL +faceswap", said, re.MULTILINE)
    told = json.loads(CliRunner().invoke(cli, ["doctor", "--json"]).output)
    assert [row["check"] for row in told if row["wish"] and not row["ok"]] == ["faceswap weights"]


def test_check_looks_at_the_faceswap_that_a_trusted_workspace_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GALLOWAY_FACESWAP_HOME", raising=False)
    monkeypatch.delenv("GALLOWAY_FACESWAP_PYTHON", raising=False)
    monkeypatch.setenv("GALLOWAY_CONFIG", str(tmp_path / "own"))
    monkeypatch.setenv("FACESWAP_BACKEND", "cpu")
    home, python = standin_home(tmp_path / "fs", "master"), standin_python(tmp_path, "master")
    root = tmp_path / "swap"
    root.mkdir()
    (root / "galloway.toml").write_text(f'[engine]\nfaceswap_home = "{home}"\nfaceswap_python = "{python}"\n')
    refused = CliRunner().invoke(cli, ["-w", str(root), "faceswap", "check"])
    assert isinstance(refused.exception, EngineError) and "galloway trust" in str(refused.exception)
    allow((home, python))
    named = CliRunner().invoke(cli, ["-w", str(root), "faceswap", "check", "--json"])
    assert json.loads(named.output)["line"] == "master"
    (root / "sources").mkdir()
    monkeypatch.chdir(root / "sources")
    assert "ok   faceswap: master line" in CliRunner().invoke(cli, ["faceswap", "check"]).output


def test_without_a_faceswap_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GALLOWAY_FACESWAP_HOME", raising=False)
    result = CliRunner().invoke(faceswap, ["check"])
    assert isinstance(result.exception, EngineError) and "GALLOWAY_FACESWAP_HOME" in str(result.exception)
