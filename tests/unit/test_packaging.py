"""What is installed: every file of the packages, under one name, also those in folders without a Python file."""

from __future__ import annotations

import runpy
from configparser import ConfigParser
from pathlib import Path

import pytest
import setuptools

ROOT = Path(__file__).parents[2]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What setup.py asks of setuptools, run in the checkout."""
    given: dict[str, object] = {}
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(setuptools, "setup", given.update)
    runpy.run_path(str(ROOT / "setup.py"))
    return given


def test_every_file_of_the_packages_is_installed(asked: dict[str, object]) -> None:
    folders = asked["package_dir"]
    assert isinstance(folders, dict)
    assert set(folders) == set(asked["packages"])  # type: ignore[call-overload]
    installed = set(folders.values())
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    patterns = [item.strip() for item in config["options.package_data"]["*"].split(",")]
    for name in ("galloway", "mturk", "curation", "pipeline", "templates"):
        for path in (ROOT / name).rglob("*"):
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            assert path.parent.relative_to(ROOT).as_posix() in installed, f"{path} is in no installed package"
            assert path.suffix == ".py" or any(path.match(item) for item in patterns), f"{path} is not installed"


def test_everything_is_installed_under_one_name_of_ours(asked: dict[str, object]) -> None:
    assert {name.split(".")[0] for name in asked["packages"]} == {"galloway"}  # type: ignore[attr-defined]
