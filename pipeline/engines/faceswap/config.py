"""faceswap's own settings: the user's, and over them what a workspace says once for all its runs.

`faceswap/train.ini`, `extract.ini` and `convert.ini` of a workspace hold only what differs, in faceswap's own form:

    [global]
    learning_rate = 2e-5
"""

from __future__ import annotations

import configparser
import difflib
from collections.abc import Iterator
from pathlib import Path

from ..base import EngineError

__all__ = ["differing", "lay_over"]

NAMES = ("extract", "train", "convert")


def differing(folder: Path | None) -> Iterator[tuple[str, str, str, str]]:
    """What a workspace sets: (file, section, option, value). Raises EngineError for files that cannot be read."""
    for path in sorted(folder.glob("*.ini")) if folder is not None and folder.is_dir() else []:
        if path.stem not in NAMES:
            known = ", ".join(f"{name}.ini" for name in NAMES)
            raise EngineError(f"{path} is none of faceswap's settings; those are {known}.")
        parser = _read(path)
        for section in parser.sections():
            for option, value in parser.items(section):
                yield path.name, section, option, value or ""


_OURS = {"format": "png", "draw_transparent": "False"}
"""How pictures are written for us, who put them into the film: whole ones, under the names that are waited for."""


def lay_over(target: Path, folder: Path | None) -> None:
    """Write what a workspace sets into the settings at `target`, and over both how pictures are written for us.

    Raises EngineError for an option that faceswap does not have, where its own settings are there to tell.
    """
    wanted: dict[str, list[tuple[str, str, str]]] = {}
    for name, section, option, value in differing(folder):
        wanted.setdefault(name, []).append((section, option, value))
    for name, values in wanted.items():
        parser = _read(target / name) if (target / name).is_file() else _empty()
        told = parser.sections()
        for section, option, value in values:
            if told:
                _known(parser, f"{folder}/{name}", section, option)
            if not parser.has_section(section):
                parser.add_section(section)
            parser.set(section, option, value)
        with (target / name).open("w", encoding="utf-8") as file:
            parser.write(file)
    _write_pictures_for_us(target / "convert.ini")


def _write_pictures_for_us(path: Path) -> None:
    """Set `_OURS` for the writers of pictures. Where a setting is not told faceswap's default is the same."""
    parser = _read(path) if path.is_file() else _empty()
    writers = [name for name in ("writer.opencv", "writer.pillow") if parser.has_section(name)]
    other = [
        (writer, option)
        for writer in writers
        for option, value in _OURS.items()
        if (parser.get(writer, option, fallback=value) or "").lower() != value.lower()
    ]
    for writer, option in other:
        parser.set(writer, option, _OURS[option])
    if other:
        with path.open("w", encoding="utf-8") as file:
            parser.write(file)


def _known(parser: configparser.RawConfigParser, path: str, section: str, option: str) -> None:
    if not parser.has_section(section):
        near = difflib.get_close_matches(section, parser.sections(), n=1)
        known = f"Is [{near[0]}] meant?" if near else f"It has: {', '.join(parser.sections())}."
        raise EngineError(f"{path}: faceswap has no section [{section}]. {known}")
    if not parser.has_option(section, option):
        near = difflib.get_close_matches(option, parser.options(section), n=1)
        elsewhere = [other for other in parser.sections() if parser.has_option(other, option)]
        if elsewhere:
            hint = f"It stands in [{elsewhere[0]}]."
        else:
            hint = f"Is {near[0]} meant?" if near else f"It has: {', '.join(parser.options(section))}."
        raise EngineError(f"{path}: faceswap has no setting {option!r} in [{section}]. {hint}")


def _empty() -> configparser.RawConfigParser:
    return configparser.RawConfigParser(allow_no_value=True)


def _read(path: Path) -> configparser.RawConfigParser:
    parser = _empty()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise EngineError(f"{path} cannot be read as settings: {' '.join(str(error).split())}") from error
    return parser
