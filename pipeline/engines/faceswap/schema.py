"""What faceswap's own settings are: sections, options, and the values that each takes, as its own code says."""

from __future__ import annotations

import configparser
import json
import math
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .home import Line

__all__ = ["GROUPS", "Schema", "Setting", "read_schema"]

GROUPS = ("extract", "train", "convert")
"""faceswap keeps one file of settings for each."""
_SECONDS = 120
"""It imports NumPy and Tk; from a cold disk that takes a while."""
_SCRIPT = "galloway_settings.py"

# Runs in faceswap's Python in a shadow, where no settings are read or written: only the classes that know the defaults
# are asked. A group's package is put in place bare, because v2.3.0's plugins/extract/__init__.py loads TensorFlow.
_PROBE = """
import importlib, json, os, sys, types
root = os.path.dirname(os.path.realpath(__file__))
os.chdir(root)
import lib.logger
from lib.config import FaceswapConfig

def asked(group):
    package = types.ModuleType("plugins." + group)
    package.__path__ = [os.path.join(root, "plugins", group)]
    sys.modules[package.__name__] = package
    there = os.listdir(package.__path__[0])
    name = next(name for name in ("_config", group + "_config") if name + ".py" in there)
    module = importlib.import_module(package.__name__ + "." + name)
    kind = next(v for v in vars(module).values()
                if isinstance(v, type) and issubclass(v, FaceswapConfig) and v is not FaceswapConfig)
    config = kind.__new__(kind)
    config.section, config.defaults, config.sections, config._plugin_group = None, {}, {}, group
    config.set_defaults()
    found = {}
    for section, content in (config.defaults or config.sections).items():
        options = content.options if hasattr(content, "options") else content.items
        found[section] = {
            name: [item.datatype.__name__, item.choices or [], item.min_max] for name, item in options.items()
        }
    return found

print("\\n" + json.dumps({group: asked(group) for group in %(groups)r}))
"""


@dataclass(frozen=True, slots=True)
class Setting:
    """One option. `kind` is faceswap's word: bool, int, float, str or list (of `choices`); `low` and `high` are the
    ends of the slider in its window, which it does not hold anybody to."""

    line: Line
    kind: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    colour: bool = False

    def takes(self, value: str) -> bool:
        """Whether faceswap can use `value`: other words end it, or are passed over for its default."""
        value = value.strip()
        if self.kind == "bool":
            return value.lower() in configparser.RawConfigParser.BOOLEAN_STATES
        if self.kind in ("int", "float"):
            return _number(value, self.kind) is not None
        if self.colour:
            return re.fullmatch(r"#[0-9a-fA-F]{6}", value) is not None
        if self.kind == "list":
            words = [word.strip() for word in value.split("," if "," in value else None)]
            # v2.3.0 makes the words small before it looks for them; master looks for them in any case.
            known = self.choices if self.line == "v2.3.0" else tuple(choice.lower() for choice in self.choices)
            return all(word.lower() in known for word in words)
        if not self.choices:
            return "%" not in value  # which faceswap's parser takes for the name of another option
        if self.line == "master" or value.lower() == "none":
            return value.lower() in (choice.lower() for choice in self.choices)
        return value in self.choices

    def outside(self, value: str) -> bool:
        """Whether a number that can be used lies beyond the slider."""
        number = _number(value.strip(), self.kind) if self.kind in ("int", "float") else None
        if number is None or self.low is None or self.high is None:
            return False
        return not self.low <= number <= self.high

    @property
    def span(self) -> str:
        """The slider's ends in words, empty where there are none."""
        return "" if self.low is None or self.high is None else f"{self.low:g} to {self.high:g}"

    @property
    def allowed(self) -> str:
        """What it takes, in words."""
        if self.kind == "bool":
            return "yes or no (true, on, 1; false, off, 0)"
        if self.kind in ("int", "float"):
            number = "a whole number" if self.kind == "int" else "a number"
            return f"{number}, {self.span}" if self.span else number
        if self.colour:
            return "a colour, #rrggbb"
        if not self.choices:
            return "any text without %"
        return f"{'any' if self.kind == 'list' else 'one'} of: {', '.join(self.choices)}"


Schema = Mapping[str, Mapping[str, Mapping[str, Setting]]]
"""Group ("train") → section → option."""


def _number(value: str, kind: str) -> float | None:
    """The number as faceswap's parser reads it, None for what it cannot read and for what is no quantity."""
    try:
        number = float(int(value)) if kind == "int" else float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def read_schema(line: Line, python: Path, folder: Path, environment: Mapping[str, str]) -> Schema | str:
    """Ask the program in the shadow `folder` for its settings (a second); why it does not say, in words, where it
    does not."""
    script = folder / _SCRIPT
    script.write_text(_PROBE % {"groups": GROUPS}, encoding="utf-8")
    try:
        run = subprocess.run(
            [str(python), str(script)],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
        said = json.loads(run.stdout.strip().splitlines()[-1])
        if not all(said[group] for group in GROUPS):
            return "it names no settings"
        return {
            group: {
                section: {option: _setting(line, *item) for option, item in options.items()}
                for section, options in said[group].items()
            }
            for group in GROUPS
        }
    except subprocess.TimeoutExpired:
        return f"it did not answer within {_SECONDS} s"
    except (LookupError, ValueError, TypeError, AttributeError):
        return (run.stderr.strip().splitlines() or ["it said nothing"])[-1]
    except OSError as error:
        return str(error)
    finally:
        script.unlink()


def _setting(line: Line, kind: str, choices: Any, span: Any) -> Setting:
    colour = choices == "colorchooser"
    low, high = (float(end) for end in span) if span else (None, None)
    return Setting(line, kind, () if colour else tuple(map(str, choices)), low, high, colour)
