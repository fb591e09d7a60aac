"""The stand-in's settings: a few options, told by classes of the shape that each line has, so that they can be asked.

Like the real classes they read and write `config/*.ini` when they are made, and loading the extract package of v2.3.0
loads the whole program: whoever only asks must do neither.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["write_settings"]

# group -> section -> option -> (datatype, default, choices, ends of the slider)
_TABLE = """{
    "extract": {"global": {"aligner_min_scale": (float, 0.03, [], (0.0, 1.0))}},
    "train": {
        "global": {
            "learning_rate": (float, 5e-05, [], (1e-06, 0.0001)),
            "nan_protection": (bool, True, [], None),
            "save_optimizer": (str, "exit", ["never", "always", "exit"], None),
        },
        "global.loss": {"mask_type": (str, "extended", ["none", "components", "extended"], None)},
        "model.phaze_a": {"freeze_layers": (list, ["encoder"], ["encoder", "decoder_a"], None)},
        "trainer.look": {"mask_color": (str, "#ff0000", "colorchooser", None)},
    },
    "convert": {
        "mask.mask_blend": {"passes": (int, 4, [], (1, 8))},
        "color.manual_balance": {"colorspace": (str, "HSV", ["RGB", "HSV"], None)},
        "writer.opencv": {"format": (str, "png", ["bmp", "jpg", "png"], None)},
        "writer.pillow": {"format": (str, "png", ["bmp", "gif", "jpg", "png"], None)},
    },
}"""

_V2_LIB = f"""
TABLE = {_TABLE}

class Item:
    def __init__(self, datatype, default, choices, min_max):
        self.datatype, self.default, self.choices, self.min_max = datatype, default, choices, min_max

class Section:
    def __init__(self, items):
        self.items = items

class FaceswapConfig:
    def __init__(self, section, configfile=None):
        raise AssertionError("this would read and write config/*.ini")

    def tell(self, group):
        for section, items in TABLE[group].items():
            self.defaults[section] = Section({{name: Item(*values) for name, values in items.items()}})
"""
_MASTER_LIB = _V2_LIB.replace("self.items = items", "self.options = items").replace("self.defaults[", "self.sections[")

_GROUP = """
from lib.config import FaceswapConfig

class Config(FaceswapConfig):
    def set_defaults(self):
        self.tell({group!r})
"""


def write_settings(folder: Path, line: str) -> None:
    """Put the classes where `line` has them, below the program's `folder`."""
    old = line == "v2.3.0"
    files = {
        "lib/logger.py": "",
        ("lib/config.py" if old else "lib/config/__init__.py"): _V2_LIB if old else _MASTER_LIB,
    }
    for group in ("extract", "train", "convert"):
        files[f"plugins/{group}/__init__.py"] = "raise ImportError('this would load the whole program')" if old else ""
        files[f"plugins/{group}/{'_config' if old else f'{group}_config'}.py"] = _GROUP.format(group=group)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
