"""The doors: names that are promised, imported only when asked for, each with an example that runs."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import types
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from galloway.curation.errors import VotesError
from galloway.curation.truth import VotesTable, aggregate, fleiss_kappa, krippendorff_alpha, krippendorff_alpha_interval
from galloway.extras import EXTRA_OF, MissingExtra
from galloway.lazy import public

from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
PACKAGES = ("galloway.curation.truth", "galloway.curation.faceset", "galloway.curation.screen", "galloway.mturk")
_LOADED = """
import json, sys
before = set(sys.modules)
import galloway.curation.truth, galloway.curation.faceset, galloway.curation.screen, galloway.mturk
print(json.dumps(sorted({name.split(".")[0] for name in set(sys.modules) - before})))
"""


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there_and_is_what_type_checkers_see(package: str) -> None:
    module = import_module(package)
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        value = getattr(module, name)
        assert not isinstance(value, types.ModuleType), f"{package}.{name} is hidden by a module of that name"
    tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = [alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(typed) == sorted(module.__all__)
    with pytest.raises(AttributeError, match=r"docs/api\.md"):
        _ = module.no_such_name


def test_importing_the_packages_imports_nothing_heavy() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True, cwd=ROOT, timeout=PATIENCE
    )
    assert not {"numpy", "pandas", "scipy", "PIL", *EXTRA_OF} & set(json.loads(ran.stdout))


def test_a_name_that_needs_an_extra_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("galloway.mturk.requester.ledger", "sqlalchemy"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, "galloway.mturk.requester.ledger")
    find, _ = public("galloway.mturk", {".requester.ledger": "Ledger"})
    with pytest.raises(MissingExtra, match=r"pip install 'galloway\[workspace\]'"):
        find("Ledger")


def test_a_dataframe_counts_as_a_table_of_votes() -> None:
    frame = pd.DataFrame({"who": [1, 2, 3, 1, 2], "task": list("aaabb"), "label": ["x", "x", "y", "y", "y"]})
    table = VotesTable.from_frame(frame, {"worker": "who"})
    named = frame.rename(columns={"who": "worker"})
    assert table.worker_names == ("1", "2", "3")
    assert aggregate(named).labels() == aggregate(table).labels() == {"a": "x", "b": "y"}
    for figure in (krippendorff_alpha, fleiss_kappa):
        assert figure(named) == figure(table)
    assert krippendorff_alpha_interval(named, seed=1) == krippendorff_alpha_interval(table, seed=1)


def test_a_truth_as_a_frame_says_what_the_decisions_file_says() -> None:
    truth = aggregate(
        VotesTable.from_rows([("w", "a", "x"), ("v", "a", "y"), ("w", "b", "y"), ("v", "b", "y")]), method="majority"
    )
    frame = truth.to_frame()
    assert list(frame.columns) == ["task", "label", "posterior", "votes", "status"]
    assert frame["label"].isna().tolist() == [True, False]
    assert frame["votes"].tolist() == [2, 2]
    assert np.array_equal(frame["status"], truth.status)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (pd.DataFrame({"worker": ["w"], "label": ["x"]}), "no column task"),
        (pd.DataFrame({"worker": ["w"], "task": ["t"], "label": [None]}), "dropna"),
        (pd.DataFrame([["w", "t", "x", "y"]], columns=["worker", "task", "label", "label"]), "one name"),
    ],
)
def test_a_frame_that_is_no_table_of_votes_says_why(frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(VotesError, match=said):
        aggregate(frame)


def test_the_page_of_names_is_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    page = import_module("generate_api").api_page()
    assert (ROOT / "docs" / "api.md").read_text(encoding="utf-8") == page, "docs/api.md is stale: make docs"
    assert "0x" not in page
