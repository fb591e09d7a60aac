"""Changing `galloway.toml`: some values, and nothing else of what a person wrote there, comments and order included."""

from __future__ import annotations

import copy
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...curation.files import write_atomic
from ..errors import WorkspaceError

__all__ = ["Values", "changed_text", "read_config", "write_values"]

Values = Mapping[tuple[str, str], Any]
"""(table, key) → its value; None takes the line out. The table "" is the top of the file."""
_HEAD = re.compile(r"\s*\[")


def read_config(config: Path) -> str:
    """The file's text, its line ends as they are. Raises WorkspaceError where it cannot be read as text."""
    try:
        return config.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise WorkspaceError(
            f"{config} is not UTF-8 text (byte {error.start + 1}). Save it as UTF-8 in your editor, or put it back."
        ) from error
    except OSError as error:
        raise WorkspaceError(f"{config} cannot be read: {error.strerror}. Check its rights.") from error


def write_values(config: Path, values: Values) -> None:
    """Change these values in the file. Where it has them already, it is not written.

    Raises WorkspaceError where it cannot be read or is no TOML.
    """
    text = read_config(config)
    changed = changed_text(text, values, config)
    if changed != text:
        write_atomic(config, changed)


def changed_text(text: str, values: Values, config: Path) -> str:
    """The text with these values changed; `config` is named where that cannot be done.

    The result is read again and compared: nothing else says anything other than before. Raises WorkspaceError.
    """
    try:
        wanted = _wanted(tomllib.loads(text), values)
        for (table, key), value in values.items():
            text = _changed(text, table, key, value)
        done = tomllib.loads(text) == wanted
    except (ValueError, RecursionError) as error:
        raise WorkspaceError(f"{config} cannot be changed: {error}") from error
    if not done:
        names = ", ".join(".".join(filter(None, name)) for name in values)
        raise WorkspaceError(f"{config} is written in a way that is not changed here. Change {names} by hand.")
    return text


def _changed(text: str, table: str, key: str, value: Any) -> str:
    import tomlkit  # what only reads settings needs none of it

    document = tomlkit.parse(text)
    if table and table not in document:
        if value is None:
            return text
        text = _with_table(text, table)
        document = tomlkit.parse(text)
    place: Any = document[table] if table else document
    if value is not None:
        place[key] = value
    elif key in place:
        del place[key]
    return tomlkit.dumps(document)


def _with_table(text: str, table: str) -> str:
    """The text with an empty table before its first one: who adds a line at the end means the table that stood there.
    A line is the head of a table where the lines before it are whole by themselves."""
    lines = text.splitlines(keepends=True)
    first = next((at for at, line in enumerate(lines) if _HEAD.match(line) and _whole(lines[:at])), len(lines))
    end = "\r\n" if text.endswith("\r\n") else "\n"
    before = "".join(lines[:first])
    if before and not before.endswith("\n"):
        before += end
    return f"{before}[{table}]{end}{end if first < len(lines) else ''}{''.join(lines[first:])}"


def _whole(lines: list[str]) -> bool:
    try:
        tomllib.loads("".join(lines))
    except ValueError:
        return False
    return True


def _wanted(before: dict[str, Any], values: Values) -> dict[str, Any]:
    """What the file is to say. Raises ValueError where a table's name stands for something else."""
    wanted = copy.deepcopy(before)
    for (table, key), value in values.items():
        place = wanted if not table else wanted.get(table, {}) if value is None else wanted.setdefault(table, {})
        if not isinstance(place, dict):
            raise ValueError(f"{table} is a table, [{table}].")
        if value is None:
            place.pop(key, None)
        else:
            place[key] = value
    return wanted
