"""Writes the table of operations and their tests into docs/marketplace.md: `python docs/generate_marketplace.py`.

A test belongs to an operation if it calls it through boto3 (`client.create_hit(…)`, `get_paginator("list_hits")`), read
from the tests' own source. `--check` only says whether the page is up to date.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from botocore import xform_name
from galloway.mturk.marketplace.operations import OPERATIONS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "marketplace.md"
TESTS = ROOT / "tests" / "contract" / "marketplace"
BEGIN, END = "<!-- operations: generated -->", "<!-- /operations -->"
METHODS = {xform_name(name): name for name in OPERATIONS}
THROUGH_BUILDERS = {"hit": "CreateHIT", "status": "GetHIT", "make": "CreateQualificationType"}
"""Builders of the tests that call an operation."""


def operations_of(function: ast.FunctionDef) -> set[str]:
    """The operations that a test calls."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Attribute) and node.attr in METHODS:
            found.add(METHODS[node.attr])
        if isinstance(node, ast.Attribute) and node.attr in THROUGH_BUILDERS:
            found.add(THROUGH_BUILDERS[node.attr])
        if isinstance(node, ast.Name) and node.id in THROUGH_BUILDERS:
            found.add(THROUGH_BUILDERS[node.id])
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update({METHODS[node.value]} if node.value in METHODS else set())
            found.update({node.value} if node.value in OPERATIONS else set())
    return found


def tests_by_operation() -> dict[str, list[str]]:
    """Operation → tests as `file::name`, in the order of the files."""
    found: dict[str, list[str]] = {name: [] for name in OPERATIONS}
    for path in sorted(TESTS.glob("test_*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                for name in operations_of(node):
                    found[name].append(f"{path.stem.removeprefix('test_')}: {node.name.removeprefix('test_')}")
    return found


def table() -> str:
    """The Markdown table. Tests are cut after six; every operation is also fuzzed and asked for its members."""
    lines = ["| # | Operation | Tests | Which |", "|---|---|---|---|"]
    for number, (name, tests) in enumerate(sorted(tests_by_operation().items()), 1):
        shown = "; ".join(test.replace("_", " ") for test in tests[:6])
        more = f"; and {len(tests) - 6} more" if len(tests) > 6 else ""
        lines.append(f"| {number} | {name} | {len(tests)} | {shown}{more} |")
    return "\n".join(lines)


def page_with_table() -> str:
    """The page as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table()}\n\n{END}{after}"


def main() -> int:
    """0 where the page is (or was made) up to date, 1 where `--check` found it stale."""
    wanted = page_with_table()
    if "--check" in sys.argv[1:]:
        if PAGE.read_text(encoding="utf-8") != wanted:
            sys.stderr.write("docs/marketplace.md is stale. Run: python docs/generate_marketplace.py\n")
            return 1
        return 0
    PAGE.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
