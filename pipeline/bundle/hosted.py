"""The files by which other people's machines run a bundle: a notebook (Jupyter, Kaggle, Colab), SkyPilot, dstack.

They are written beside the bundle and call its go.py, as a person would. Formats: nbformat 4.5; SkyPilot's task YAML;
dstack's `.dstack.yml` (type: task).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...curation.files import write_atomic
from .manifest import Manifest

__all__ = ["HOSTS", "write_hosted"]

NOTEBOOK, SKYPILOT, DSTACK = "train.ipynb", "sky.yaml", ".dstack.yml"

_COLAB = (
    "**Read this first.** Google's terms for Colab's free tier forbid making deepfakes, and with that swapping faces. "
    "Use a paid plan whose terms allow what you do, or another machine.\n\n"
    "Put the bundle's folder into your Drive under `MyDrive`; it goes on there after a disconnection."
)
_KAGGLE = (
    "Add the bundle's folder as a *private* dataset (it holds faces), switch the notebook to a GPU, and run all cells. "
    "Save the notebook's output; in a later session add that output as input, too, and it goes on."
)
_JUPYTER = "Keep this notebook in the bundle's folder. Run all cells; after a restart run them again, and it goes on."

_FIND_JUPYTER = 'from pathlib import Path\n\nbundle = Path(".").resolve()\n'
_FIND_COLAB = (
    "from pathlib import Path\n\nfrom google.colab import drive\n\n"
    'drive.mount("/content/drive")\n'
    'found = Path("/content/drive/MyDrive").glob("*/bundle.json")\n'
    "bundle = next(path.parent for path in found if RUN in path.read_text())\n"
)
_FIND_KAGGLE = (
    "import shutil\nfrom pathlib import Path\n\n"
    'bundle = Path("/kaggle/working/bundle")\n'
    "if not bundle.exists():\n"
    '    there = Path("/kaggle/input").glob("**/bundle.json")\n'
    "    found = [path.parent for path in there if RUN in path.read_text()]\n"
    '    assert found, "Add the bundle as an input of this notebook, and run this cell again."\n'
    "    # An earlier session's output is a bundle, too: the one in which most has happened goes on.\n"
    '    events = {path: path / "events.jsonl" for path in found}\n'
    "    size = {path: log.stat().st_size if log.exists() else 0 for path, log in events.items()}\n"
    "    shutil.copytree(max(found, key=size.get), bundle)\n"
)
_RUN = (
    "import os\nimport subprocess\nimport sys\n\n"
    'python = os.environ.get("GALLOWAY_PYTHON", "here")\n'
    'words = [sys.executable, "-u", str(bundle / "go.py"), "run", str(bundle), "--python", python]\n'
    "with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:\n"
    "    for line in process.stdout:\n"
    '        print(line, end="", flush=True)\n'
    'assert process.returncode == 0, "The training did not end well: see above. Run this cell again, and it goes on."\n'
)
_PACK = (
    "import zipfile\n\n"
    'result = bundle.parent / f"{RUN}-result.zip"\n'
    'with zipfile.ZipFile(result, "w") as archive:\n'
    '    for name in ("bundle.json", "result.json", "events.jsonl"):\n'
    "        archive.write(bundle / name, name)\n"
    '    for folder in ("model", "work"):\n'
    '        for path in sorted((bundle / folder).rglob("*")):\n'
    "            if path.is_file():\n"
    "                archive.write(path, path.relative_to(bundle))\n"
    'print(f"{result}: fetch it, then in the workspace: galloway bundle take {result.name}")\n'
)


def _notebook(manifest: Manifest, words: str, find: str) -> str:
    title = (
        f"# Galloway: {manifest.run}\n\nTrains the {manifest.engine} engine's model “{manifest.options.model}” on two "
        f"approved facesets ({manifest.packs['a'].faces} and {manifest.packs['b'].faces} faces).\n\n"
    )
    cells = [
        _cell("markdown", "what", title + words),
        _cell("code", "find", f"RUN = {manifest.run!r}\n{find}print(bundle)\n"),
        _cell("code", "train", _RUN),
        _cell("code", "result", _PACK),
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _cell(kind: str, name: str, source: str) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "id": name, "metadata": {}, "source": source}
    return {**cell, "execution_count": None, "outputs": []} if kind == "code" else cell


def _skypilot(manifest: Manifest) -> str:
    return (
        f"# sky launch -c galloway {SKYPILOT}     then: rsync -r galloway:sky_workdir/ .  and: galloway bundle take .\n"
        "# The bundle holds faces: sky down galloway when you have the result.\n"
        f"name: {manifest.run}\n"
        "workdir: .\n"
        "resources:\n"
        '  accelerators: "T4:1"\n'
        "run: |\n"
        "  python3 go.py run ~/sky_workdir --env ~/galloway-env\n"
    )


def _dstack(manifest: Manifest) -> str:
    return (
        "# dstack apply -f .dstack.yml     attached: scp -r NAME:/bundle .   and: galloway bundle take bundle\n"
        "# The bundle holds faces: dstack stop NAME when you have the result.\n"
        "type: task\n"
        f"name: {manifest.run[:41].rstrip('-')}\n"
        'python: "3.12"\n'
        "files:\n"
        '  - ".:/bundle"\n'
        "commands:\n"
        "  - python go.py run /bundle --env /tmp/galloway\n"
        "working_dir: /bundle\n"
        "resources:\n"
        "  gpu: 12GB..\n"
    )


HOSTS: dict[str, tuple[str, Callable[[Manifest], str]]] = {
    "jupyter": (NOTEBOOK, lambda manifest: _notebook(manifest, _JUPYTER, _FIND_JUPYTER)),
    "kaggle": (NOTEBOOK, lambda manifest: _notebook(manifest, _KAGGLE, _FIND_KAGGLE)),
    "colab": (NOTEBOOK, lambda manifest: _notebook(manifest, _COLAB, _FIND_COLAB)),
    "skypilot": (SKYPILOT, _skypilot),
    "dstack": (DSTACK, _dstack),
}
"""Where a bundle may run → the file's name and its text."""


def write_hosted(folder: Path, manifest: Manifest, host: str) -> None:
    """Write the file by which `host` (a key of HOSTS) runs the bundle in `folder`."""
    name, text = HOSTS[host]
    write_atomic(folder / name, text(manifest))
