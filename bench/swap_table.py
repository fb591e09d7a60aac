"""The whole table of `bench.swap`, made step by step in a folder: what is done stays, and a killed run goes on.

Each pair of clips has a folder of its own: its faces, the engines' models, films and figures. Training and conversion
run in processes of their own (`bench/swap_step.py`), with the code of the tree that a way names.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from galloway.curation.types import Side
from galloway.pipeline.measures.see import person_of
from galloway.pipeline.measures.values import SERIES, Measured

from bench.engines import HOW
from bench.swap_sets import CRF, Set, ceiling, mean_face, measured, prepared

HERE = Path(__file__).resolve().parent.parent
SHOWN = ("ID similarity to B", "ID similarity to A", "ID retrieval", "lip sync", "eye sync", "Fréchet distance")
OVERHEAD = 4.0
"""Minutes a pair takes beside training, about: faces, films and figures on two quiet cores."""

Figures = dict[str, Any]


@dataclass(frozen=True)
class Way:
    """One engine: its `name` in the table, the `tree` whose code runs, and for a faceswap its `home` and `python`."""

    name: str
    tree: Path = HERE
    home: Path | None = None
    python: Path | None = None

    @property
    def engine(self) -> str:
        return "embedded" if self.home is None else "faceswap"


@dataclass(frozen=True)
class Pair:
    """A's and B's clip; None for both is the demo's footage."""

    a: Path | None
    b: Path | None

    @property
    def name(self) -> str:
        return f"{self.a.stem} as {self.b.stem}" if self.a and self.b else "demo"


def minutes_each(budget: float, wanted: float, pairs: int, ways: int) -> float:
    """How long each engine may train so that all is done within the `budget` of minutes, at most `wanted`."""
    return max(0.0, min(wanted, (budget - OVERHEAD * pairs) / (pairs * ways)))


def table(room: Path, pairs: Sequence[Pair], ways: Sequence[Way], minutes: float, *, small: bool) -> dict[str, Figures]:
    """Every pair's figures by the names of the films. Refuses a room begun with other clips, ways or minutes."""
    room.mkdir(parents=True, exist_ok=True)
    plan = {
        "pairs": [[str(pair.a), str(pair.b)] for pair in pairs],
        "ways": [[way.name, str(way.tree), str(way.home)] for way in ways],
        "minutes": round(minutes, 3),
        "small": small,
    }
    kept = room / "plan.json"
    if kept.is_file() and json.loads(kept.read_text(encoding="utf-8")) != plan:
        raise SystemExit(f"{room} was begun with other clips, engines or minutes: {kept}. Name another folder.")
    _write(kept, plan)
    return {pair.name: _of_pair(room / pair.name.replace(" ", "_"), pair, ways, minutes, small) for pair in pairs}


def _of_pair(folder: Path, pair: Pair, ways: Sequence[Way], minutes: float, small: bool) -> Figures:
    chosen = _faces(folder, pair, small)
    b = person_of(chosen.folder / "b")
    films: dict[str, Callable[[], Path]] = {
        "floor: A untouched": lambda: chosen.clips[Side.A],
        "mean face": lambda: mean_face(chosen),
    }
    films |= {way.name: partial(_swapped, chosen, way, minutes) for way in ways}

    def judged(film: Callable[[], Path]) -> Measured:
        return measured(chosen, Side.A, film(), b)[0]

    found = {name: _once(folder, name, partial(judged, film)) for name, film in films.items()}

    def top() -> Measured:
        _, people = measured(chosen, Side.A, chosen.clips[Side.A], b)
        return ceiling(chosen, b, people)[0]

    found["ceiling: B untouched"] = _once(folder, "ceiling: B untouched", top)
    return found


def _faces(folder: Path, pair: Pair, small: bool) -> Set:
    """The pair's faces, found once; those of a run that was killed in the midst are found anew."""
    done, faces = folder / "faces.json", folder / "faces"
    if not done.is_file():
        shutil.rmtree(faces, ignore_errors=True)
        faces.mkdir(parents=True)
        _say(f"{pair.name}: faces")
        chosen = prepared(faces, pair.a, pair.b, small=small)
        _write(done, {side.value: str(clip) for side, clip in chosen.clips.items()})
    clips = json.loads(done.read_text(encoding="utf-8"))
    return Set(faces, {side: Path(clips[side.value]) for side in Side})


def _once(folder: Path, name: str, make: Callable[[], Measured]) -> Figures:
    """A film's figures, kept when they are known."""
    path = folder / "figures" / f"{name.replace(' ', '_').replace(':', '')}.json"
    if not path.is_file():
        started = time.monotonic()
        _write(path, figures_of(make()))
        _say(f"{folder.name}: {name}, {time.monotonic() - started:.0f} s")
    kept: Figures = json.loads(path.read_text(encoding="utf-8"))
    return kept


def figures_of(item: Measured) -> Figures:
    """Mean and worst frame of each measure, and those of the whole film."""
    return {
        "mean": {key: round(item.mean(key), 4) for key in SERIES},
        "worst": {key: round(item.worst(key)[0], 4) for key in SERIES},
        "film": {key: round(value, 4) for key, value in item.whole.items()},
    }


def _swapped(chosen: Set, way: Way, minutes: float) -> Path:
    """Train one way and convert side A's clip, each where it is not done."""
    room = chosen.folder.parent / way.name.replace(" ", "_")
    room.mkdir(exist_ok=True)
    output = room / "film.mp4"
    common = {
        "engine": way.engine,
        "home": str(way.home),
        "python": str(way.python) if way.python else None,
        "model_dir": str(room / "model"),
        "work_dir": str(room / "run"),
    }
    _step(way, room / "train.json", common | {
        "do": "train",
        "model": "original" if way.engine == "embedded" else "lightweight",
        "faces_a": str(chosen.folder / "a"),
        "faces_b": str(chosen.folder / "b"),
        "minutes": minutes,
        "ledger": str(room / "ledger.json"),
    })  # fmt: skip
    if not output.is_file():
        _step(way, room / "convert.json", common | {
            "do": "convert",
            "source": str(chosen.clips[Side.A]),
            "alignments": str(chosen.alignments(Side.A)),
            "output": str(output),
            "crf": CRF,
            "options": HOW[way.engine]["ab"],
        })  # fmt: skip
    return output


def _step(way: Way, path: Path, request: dict[str, Any]) -> None:
    _write(path, request)
    _say(f"{path.parent.parent.name}: {way.name}, {request['do']}")
    step = [sys.executable, str(HERE / "bench" / "swap_step.py"), str(path)]
    code = subprocess.run(step, env=os.environ | {"PYTHONPATH": str(way.tree)}, check=False).returncode
    if code:
        raise SystemExit(f"{request['do']} of {way.name} ended with {code}. Run the same command again to go on.")


def show(found: dict[str, Figures]) -> None:
    """The tables, mean and worst frame of each measure, and the line of JSON."""
    for pair, films in found.items():
        width = max(map(len, films)) + 2
        print(f"\n{pair}\n" + " " * 20 + "".join(f"{name:>{width}}" for name in films))
        for key in SERIES:
            cells = [f"{item['mean'][key]:.3f} / {item['worst'][key]:.3f}" for item in films.values()]
            print(f"{key:20}" + "".join(f"{cell:>{width}}" for cell in cells))
        for whole in SHOWN:
            cells = [f"{item['film'].get(whole, float('nan')):.3f}" for item in films.values()]
            print(f"{whole:20}" + "".join(f"{cell:>{width}}" for cell in cells))
        mean, ours = (films[name]["mean"]["border colour"] for name in ("mean face", "embedded"))
        print(f"border colour: the mean face's is {mean / ours:.2f} times ours")
    print(json.dumps(found, ensure_ascii=False).replace("NaN", "null"))


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    half.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    half.replace(path)


def _say(text: str) -> None:
    print(time.strftime("%H:%M:%S ") + text, file=sys.stderr, flush=True)
