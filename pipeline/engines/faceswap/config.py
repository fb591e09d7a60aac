"""faceswap's own settings: the user's, and over them what a workspace says once for all its runs.

`faceswap/train.ini`, `extract.ini` and `convert.ini` of a workspace hold only what differs, in faceswap's own form:

    [global]
    learning_rate = 2e-5
"""

from __future__ import annotations

import configparser
import difflib
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from ..base import EngineError
from .schema import GROUPS, Schema, Setting

__all__ = ["differing", "effective", "lay_over"]

logger = logging.getLogger(__name__)


def differing(folder: Path | None) -> Iterator[tuple[str, str, str, str]]:
    """What a workspace sets: (file, section, option, value). Raises EngineError for files that cannot be read."""
    for path in sorted(folder.glob("*.ini")) if folder is not None and folder.is_dir() else []:
        if path.stem not in GROUPS:
            known = ", ".join(f"{name}.ini" for name in GROUPS)
            raise EngineError(f"{path} is none of faceswap's settings; those are {known}.")
        parser = _read(path)
        for section in parser.sections():
            for option, value in parser.items(section):
                yield path.name, section, option, value or ""


def effective(config: Path, folder: Path | None, name: str) -> list[list[str]]:
    """What holds in a run, as [section, option, value] in order: the file `name` of the user's own settings in
    `config`, and over it what a workspace sets in `folder`. faceswap's defaults are not among it."""
    values: dict[tuple[str, str], str] = {}
    if (config / name).is_file():
        parser = _read(config / name)
        values = {
            (section, option): value or "" for section in parser.sections() for option, value in parser.items(section)
        }
    values |= {(section, option): value for file, section, option, value in differing(folder) if file == name}
    return [[*place, value] for place, value in sorted(values.items())]


_OURS = {"format": "png", "draw_transparent": "False"}
"""How pictures are written for us, who put them into the film: whole ones, under the names that are waited for."""


def lay_over(target: Path, folder: Path | None, ask: Callable[[], Schema | str]) -> None:
    """Write what a workspace sets into the settings at `target`, and over both how pictures are written for us. `ask`
    says what faceswap's settings are, or why that is not known; it is called only where something is set.

    Raises EngineError for an option that faceswap does not have and for a value that it cannot use.
    """
    wanted: dict[str, list[tuple[str, str, str]]] = {}
    for name, section, option, value in differing(folder):
        wanted.setdefault(name, []).append((section, option, value))
    known = ask() if wanted else {}
    if isinstance(known, str):
        logger.warning(
            "faceswap does not say which settings it has (%s): the values in %s are used unchecked, and the names "
            "checked only against your checkout's config/*.ini, where there is one. See: galloway doctor",
            known,
            folder,
        )
    for name, values in wanted.items():
        parser = _read(target / name) if (target / name).is_file() else _empty()
        path = f"{folder}/{name}"
        if isinstance(known, str):
            _check_names(path, {section: parser.options(section) for section in parser.sections()}, values)
        else:
            _check_names(path, known[Path(name).stem], values)
            _check_values(path, known[Path(name).stem], values)
        for section, option, value in values:
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


def _check_names(path: str, known: Mapping[str, Iterable[str]], values: Iterable[tuple[str, str, str]]) -> None:
    """Raise EngineError for a name that is not `known`; where nothing is, none can be told wrong."""
    for section, option, _value in values if known else ():
        if section not in known:
            near = difflib.get_close_matches(section, known, n=1)
            hint = f"Is [{near[0]}] meant?" if near else f"It has: {', '.join(known)}."
            raise EngineError(f"{path}: faceswap has no section [{section}]. {hint}")
        options = list(known[section])
        if option not in options:
            near = difflib.get_close_matches(option, options, n=1)
            elsewhere = [other for other, there in known.items() if option in there]
            if elsewhere:
                hint = f"It stands in [{elsewhere[0]}]."
            else:
                hint = f"Is {near[0]} meant?" if near else f"It has: {', '.join(options)}."
            raise EngineError(f"{path}: faceswap has no setting {option!r} in [{section}]. {hint}")


def _check_values(
    path: str, known: Mapping[str, Mapping[str, Setting]], values: Iterable[tuple[str, str, str]]
) -> None:
    """Raise EngineError for a value that faceswap would end on or pass over for its default."""
    for section, option, value in values:
        setting = known[section][option]
        if not setting.takes(value):
            raise EngineError(
                f"{path}: faceswap cannot use {option} = {value} in [{section}]. It takes {setting.allowed}."
            )
        if setting.outside(value):
            logger.warning(
                "%s: %s = %s in [%s] is not in %s, which faceswap offers; it is used as it is",
                path,
                option,
                value,
                section,
                setting.span,
            )


def _empty() -> configparser.RawConfigParser:
    # No section is special: what stood in [DEFAULT] would be passed over.
    return configparser.RawConfigParser(allow_no_value=True, default_section="")


def _read(path: Path) -> configparser.RawConfigParser:
    parser = _empty()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        raise EngineError(f"{path} cannot be read as settings: {' '.join(str(error).split())}") from error
    return parser
