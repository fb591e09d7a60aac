"""One step of `bench.swap` in a process of its own: train an engine or convert with it, with any Galloway's code.

    python bench/swap_step.py REQUEST.json

The request is what `bench.swap_table` writes; PYTHONPATH says whose code runs, so that an earlier checkout is measured
in the same way. Training counts its minutes in a ledger beside the model: one that was killed gets what is left.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from galloway.curation.types import no_progress
from galloway.pipeline.engines.base import ConvertRequest, Engine, TrainEvent, TrainRequest
from galloway.pipeline.engines.embedded.engine import EmbeddedEngine

ENDLESS = 10**7
_NOTED_EVERY = 5.0


def main() -> None:
    """Do what the request says."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    {"train": train, "convert": convert}[request["do"]](request)


def train(request: dict[str, Any]) -> None:
    """Train for what is left of the minutes; nothing where none are."""
    ledger = Path(request["ledger"])
    spent = float(json.loads(ledger.read_text(encoding="utf-8"))["seconds"]) if ledger.is_file() else 0.0
    wanted = 60 * request["minutes"]
    if wanted - spent <= 1:
        return
    begun: list[float] = []
    noted = [0.0]

    def note(event: TrainEvent) -> None:
        if event.kind != "loss":
            return
        now = time.monotonic()
        if not begun:
            # An earlier Galloway and faceswap do not say what is left.
            known = getattr(event, "left", None)
            begun.append(now - (0.0 if known is None else wanted - spent - known))
        if now - noted[0] >= _NOTED_EVERY:
            noted[0] = now
            _write(ledger, {"seconds": spent + now - begun[0], "iterations": event.iteration})

    result = _engine(request).train(
        TrainRequest(
            faces_a=Path(request["faces_a"]),
            faces_b=Path(request["faces_b"]),
            model_dir=Path(request["model_dir"]),
            work_dir=Path(request["work_dir"]),
            model=request["model"],
            iterations=ENDLESS,
            save_every=100,
            timelapse=False,
            minutes=(wanted - spent) / 60,
        ),
        note,
    )
    if result.stopped == "interrupted":
        raise SystemExit(130)
    _write(ledger, {"seconds": wanted, "iterations": result.iterations})


def convert(request: dict[str, Any]) -> None:
    """Swap a clip's faces. An earlier Galloway that has no choice of quality writes at its own."""
    chosen = {"crf": request["crf"]} if "crf" in {field.name for field in fields(ConvertRequest)} else {}
    _engine(request).convert(
        ConvertRequest(
            source=Path(request["source"]),
            alignments=Path(request["alignments"]),
            model_dir=Path(request["model_dir"]),
            output=Path(request["output"]),
            work_dir=Path(request["work_dir"]),
            options=request["options"],
            **chosen,
        ),
        no_progress,
    )


def _engine(request: dict[str, Any]) -> Engine:
    if request["engine"] == "embedded":
        return EmbeddedEngine()
    from galloway.pipeline.engines.faceswap import FaceswapEngine

    python = request.get("python")
    return FaceswapEngine.from_settings(Path(request["home"]), Path(python) if python else None)


def _write(path: Path, values: dict[str, float]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(values), encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    main()
