"""docs/marketplace.md carries the table that the tests themselves give."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[4] / "docs"


def generator() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "generate_marketplace.py"))


def test_the_table_is_up_to_date() -> None:
    assert (DOCS / "marketplace.md").read_text(encoding="utf-8") == generator()["page_with_table"]()


def test_every_operation_has_tests_of_its_own() -> None:
    assert [name for name, tests in generator()["tests_by_operation"]().items() if not tests] == []
