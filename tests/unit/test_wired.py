"""The check that what was built is also wired: it tells what only tests use, and nothing else."""

from __future__ import annotations

from pathlib import Path

from tests.wired import ROOT, unwired

_CODE = """
from html.parser import HTMLParser
from typing import Protocol

__all__ = ["Kept", "Reader", "Shape", "forgotten", "listed", "used"]

def used(): return "named_in_a_table"
def forgotten(): return forgotten()
def listed(): return used()
def named_in_a_table(): ...
def in_a_page(): ...
@route("/")
def registered(): ...
def _private(): ...

class Shape(Protocol):
    def area(self): ...

class Kept(Shape):
    def area(self): ...
    def never_called(self): ...
    def __len__(self): ...

class Reader(HTMLParser):
    def handle_data(self, data): ...

Kept().area(), Reader
"""


def test_only_what_nobody_uses_is_told(tmp_path: Path) -> None:
    (tmp_path / "curation" / "truth").mkdir(parents=True)
    (tmp_path / "curation" / "code.py").write_text(_CODE, encoding="utf-8")
    (tmp_path / "curation" / "page.html").write_text("<p>forgotten {{ in_a_page() }}</p>", encoding="utf-8")
    assert [item.name for item in unwired(tmp_path)] == ["forgotten", "listed", "never_called"]
    (tmp_path / "curation" / "truth" / "__init__.py").write_text('__all__ = ["listed"]', encoding="utf-8")
    assert [item.name for item in unwired(tmp_path)] == ["forgotten", "never_called"]


def test_everything_public_is_wired() -> None:
    assert [str(item) for item in unwired(ROOT)] == []
