"""A secret that does not show: not when printed, logged, compared in a test or seen in a traceback's values."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from ..errors import PanelError

__all__ = ["Secret", "find_token"]

_SHORTEST = 10


class Secret:
    """A text that only `reveal` gives out."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> str:
        raise TypeError("A secret is not pickled.")


def find_token(name: str, own_folder: Path, environment: Mapping[str, str] = os.environ) -> Secret:
    """The token of a panel called `name`: from the environment (PROLIFIC_TOKEN, or the file that PROLIFIC_TOKEN_FILE
    names), else from `prolific.token` in the user's own folder. Never from a workspace, which others may have written.

    Raises PanelError where there is none, or where others than its owner may read the file.
    """
    upper = name.upper()
    if given := environment.get(f"{upper}_TOKEN", "").strip():
        return _checked(given, f"the environment's {upper}_TOKEN")
    path = Path(environment.get(f"{upper}_TOKEN_FILE") or own_folder / f"{name}.token")
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if os.name == "posix" and mode & 0o077:
            raise PanelError(f"Others may read the token in {path} (mode {mode:04o}). Close it: chmod 600 {path}")
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise PanelError(
            f"There is no token for {name}. Put it into {path}, for you alone (chmod 600), or set {upper}_TOKEN."
        ) from None
    return _checked(text, str(path))


def _checked(text: str, where: str) -> Secret:
    if len(text) < _SHORTEST or not text.isascii() or not text.isprintable() or " " in text:
        raise PanelError(f"What stands in {where} is no token: one line without spaces is expected.")
    return Secret(text)
