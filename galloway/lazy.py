"""A package's public names, imported when they are asked for (PEP 562), so that `import` costs nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from .extras import missing_extra

__all__ = ["public"]


def public(package: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """`__getattr__` and `__dir__` for `package`, whose `homes` maps a relative module to names, parted by spaces.

    A name whose module needs an extra that is not installed raises MissingExtra, which names the extra.
    """
    home = {name: module for module, names in homes.items() for name in names.split()}

    def getattr_(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"{package} has no public name {name!r}. They are listed in docs/api.md.")
        try:
            value = getattr(import_module(home[name], package), name)
        except ImportError as error:
            raise missing_extra(error) or error from error
        setattr(sys.modules[package], name, value)
        return value

    return getattr_, lambda: sorted({*vars(sys.modules[package]), *home})
