"""Options of ours as faceswap's switches: one table for each step, one way to check them and to write them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..base import EngineError

__all__ = ["Switch", "existing", "switches"]

_ON = ("1", "true", "yes", "on")
_OFF = ("0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class Switch:
    """How an option is written: `flag`, and what follows it. `nothing` is a switch that is there or not."""

    flag: str
    takes: Literal["nothing", "value", "values", "path", "paths"] = "value"


def switches(options: Mapping[str, str], table: Mapping[str, Switch]) -> list[str]:
    """The arguments for those `options` that `table` has, in their order. Paths are from the current folder, and are
    written absolute: faceswap runs in a folder of its own.

    Raises EngineError for a value that an option cannot have: no yes or no, nothing, or a path where nothing is.
    """
    arguments: list[str] = []
    for name, value in options.items():
        if (switch := table.get(name)) is None:
            continue
        if switch.takes == "nothing":
            arguments += [switch.flag] * _is_on(name, value)
            continue
        if not value.strip():
            raise EngineError(f"The option {name} needs a value: -o {name}=…")
        arguments += [switch.flag, *_values(name, value, switch)]
    return arguments


def _is_on(name: str, value: str) -> bool:
    word = value.strip().lower()
    if word not in (*_ON, *_OFF):
        raise EngineError(f"The option {name} is yes or no, not {value!r}. Say yes, true, on, 1, or no, false, off, 0.")
    return word in _ON


def _values(name: str, value: str, switch: Switch) -> list[str]:
    if switch.takes == "value":
        return [value]
    if switch.takes == "values":
        return value.split()
    if switch.takes == "path":
        return [str(existing(name, value))]
    try:
        words = [value] if Path(value).expanduser().exists() else shlex.split(value)
    except ValueError as error:
        raise EngineError(f"The option {name} cannot be read as paths ({error}): {value}") from error
    return [str(existing(name, word, folders=True)) for word in words]


def existing(name: str, value: str, *, folders: bool = False) -> Path:
    """The absolute path that an option gives from the current folder: of a file, or where `folders` are taken of one.
    Raises EngineError where there is none."""
    path = Path(value).expanduser()
    if not path.is_file() and not (folders and path.is_dir()):
        what = "is a folder" if path.is_dir() else "does not exist"
        raise EngineError(f"{value} {what}; the option {name} names it. Say which file it is, from {Path.cwd()}.")
    return path.absolute()
