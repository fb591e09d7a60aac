"""What is installed: every file of the packages, also those in folders that no Python file makes a package."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

from setuptools import find_namespace_packages, find_packages

ROOT = Path(__file__).parents[2]


def test_every_file_of_the_packages_is_installed() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    find = {"find:": find_packages, "find_namespace:": find_namespace_packages}[config["options"]["packages"]]
    packages = set(find(str(ROOT), include=config["options.packages.find"]["include"].split()))
    patterns = [item.strip() for item in config["options.package_data"]["*"].split(",")]
    for name in ("mturk", "curation", "pipeline", "templates"):
        for path in (ROOT / name).rglob("*"):
            if path.is_dir() or "__pycache__" in path.parts:
                continue
            assert ".".join(path.parent.relative_to(ROOT).parts) in packages, f"{path} is in no installed package"
            assert path.suffix == ".py" or any(path.match(item) for item in patterns), f"{path} is not installed"
