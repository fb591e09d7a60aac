"""Values of `galloway.toml` change, and nothing else in it."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from galloway.pipeline.errors import WorkspaceError
from galloway.pipeline.workspace.config_file import changed_text, write_values
from hypothesis import given
from hypothesis import strategies as st

HERE = Path("galloway.toml")


@pytest.mark.parametrize(
    ("before", "values", "after"),
    [
        ('[ask]\nreward = "0.15"   # a page\n', {("ask", "reward"): "0.20"}, '[ask]\nreward = "0.20"   # a page\n'),
        ('# mine\nask.votes = 3 # few\n', {("ask", "votes"): 5}, '# mine\nask.votes = 5 # few\n'),
        ("[ask]\r\nvotes = 3\r\n", {("ask", "votes"): 5}, "[ask]\r\nvotes = 5\r\n"),
        ("ask = {votes = 3, learn = true}\n", {("ask", "learn"): False}, "ask = {votes = 3, learn = false}\n"),
        ('[ask]\nbudget = "9"\nvotes = 3\n', {("ask", "budget"): None}, "[ask]\nvotes = 3\n"),
        ("[ask]\nvotes = 3\n", {("gold", "share"): None}, "[ask]\nvotes = 3\n"),
        ("id = 1\n\n[ask]\nvotes = 3\n", {("gold", "n"): 2}, "id = 1\n\n[gold]\nn = 2\n\n[ask]\nvotes = 3\n"),
        ("[ask]\nvotes = 3\n", {("", "id"): "abc"}, 'id = "abc"\n\n[ask]\nvotes = 3\n'),
        ('name = """\n[ask]\n"""\n', {("ask", "votes"): 3}, 'name = """\n[ask]\n"""\n[ask]\nvotes = 3\n'),
        ("[ask]\n\"votes\" = 0x3\n", {("ask", "votes"): 5}, "[ask]\n\"votes\" = 5\n"),
    ],
)  # fmt: skip
def test_one_value_changes_and_the_rest_is_as_it_was_written(before: str, values: dict, after: str) -> None:  # type: ignore[type-arg]
    assert changed_text(before, values, HERE) == after


@given(
    rest=st.lists(
        st.sampled_from(["# a remark", "", "[gold]", "[side_a]", 'name = "ask"', "[ask.deep]", "list = [\n1,\n[2]]"]),
        unique=True, max_size=6,
    ),
    value=st.one_of(st.integers(), st.booleans(), st.text(max_size=8), st.floats(allow_nan=False), st.none()),
)  # fmt: skip
def test_whatever_stands_there_reads_as_before_but_for_the_value(rest: list[str], value: object) -> None:
    text = "\n".join(rest)
    before = tomllib.loads(text)
    changed = changed_text(text, {("ask", "budget"): value}, HERE)
    after = tomllib.loads(changed)
    assert after.get("ask", {}).pop("budget", None) == value
    if "ask" not in before:
        after.pop("ask", None)
    assert after == before
    assert [line for line in changed.splitlines() if line.startswith("#")] == [one for one in rest if one[:1] == "#"]


def test_what_cannot_be_changed_names_the_file_and_stays(tmp_path: Path) -> None:
    config = tmp_path / "galloway.toml"
    for body, told in ((b"[ask\n", "cannot be changed"), (b"\xff", "not UTF-8"), (b"ask = 3\n", "ask is a table")):
        config.write_bytes(body)
        with pytest.raises(WorkspaceError, match=told):
            write_values(config, {("ask", "votes"): 3})
        assert config.read_bytes() == body


def test_the_same_value_again_writes_nothing(tmp_path: Path) -> None:
    config = tmp_path / "galloway.toml"
    config.write_text("[ask]\nvotes = 3\n")
    seen = config.stat()
    write_values(config, {("ask", "votes"): 3, ("gold", "share"): None})
    now = config.stat()
    assert (now.st_ino, now.st_mtime_ns) == (seen.st_ino, seen.st_mtime_ns)  # reading it may move its atime
