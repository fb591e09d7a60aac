"""What stands for Python on another machine: it runs the packed Galloway with an engine that only counts.

Called as `box_python.py -m galloway bundle run FOLDER`, with the unpacked code on the path as go.py sets it. Its model
is one array, the sum of the numbers of its iterations: one that was done twice or left out shows.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import galloway
import numpy as np
from galloway.pipeline.bundle import run
from galloway.pipeline.engines.base import TrainEvent, TrainRequest, TrainResult
from galloway.pipeline.engines.embedded.store import ModelState, load_model, save_model
from galloway.pipeline.engines.stopping import StopSwitch


class Counting:
    """Trains by adding the iteration's number; each takes a hundredth of a second for every face a step but one."""

    def train(self, request: TrainRequest, on_event: Callable[[TrainEvent], None]) -> TrainResult:
        assert request.until is not None and len(list(request.faces_a.glob("*.png"))) == 26
        saved = load_model(request.model_dir)
        state, arrays = saved or (ModelState(request.model, 64, request.seed), {"sum": np.zeros(1)})
        on_event(TrainEvent("command", state.iterations, text="count"))
        with StopSwitch() as switch:
            while state.iterations < request.until and not switch.pressed:
                number = state.iterations + 1
                arrays["sum"] = arrays["sum"] + number
                state = replace(state, iterations=number, loss_a=1 / number, loss_b=1 / number)
                on_event(TrainEvent("loss", number, 1 / number, 1 / number))
                if number % request.save_every == 0 or number == request.until:
                    save_model(request.model_dir, arrays, state)
                    on_event(TrainEvent("saved", number))
                time.sleep((request.batch_size - 1) / 100)
            save_model(request.model_dir, arrays, state)
        stopped = "interrupted" if switch.pressed else "done"
        return TrainResult(state.iterations, stopped, state.loss_a, state.loss_b, None, ("count",))


def main() -> None:
    """Train, with the code of the bundle and not with the checkout's."""
    from galloway.pipeline.cli.main import main as command

    assert sys.argv[1:5] == ["-m", "galloway", "bundle", "run"]
    assert Path(galloway.__file__).is_relative_to(Path(sys.argv[5]) / "code"), galloway.__file__
    run._engine = lambda _manifest, _folder: Counting()
    command(sys.argv[3:])


if __name__ == "__main__":
    main()
