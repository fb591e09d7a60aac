"""Being asked to stop: Ctrl-C, `kill` and a closed terminal become a flag, and a save comes first, or an exception."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

__all__ = ["ASKED", "StopSwitch", "ended_in_order"]

ASKED = (signal.SIGTERM, signal.SIGHUP)
"""What `kill`, a system that shuts down, and a closed terminal send; unasked for they end a program at once."""


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Have `kill` and a closed terminal end the block by an exception, as Ctrl-C does, so that what was begun is taken
    away. A signal that is ignored (`nohup`) stays so."""

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {}
    if threading.current_thread() is threading.main_thread():
        heard = [number for number in ASKED if signal.getsignal(number) is not signal.SIG_IGN]
        before = {number: signal.signal(number, end) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class StopSwitch:
    """Turns signals into a flag while it is entered, so that no iteration and no save is cut in two; `number` is which.

    A second SIGINT is a KeyboardInterrupt as usual; the others, which come twice where a session ends, stay a flag. A
    signal that is ignored (`nohup`) stays so. In threads other than the main one there are no signals to catch.
    """

    def __init__(self, signals: Sequence[signal.Signals] = (signal.SIGINT, *ASKED)) -> None:
        self.pressed = False
        self.number = 0
        self._signals = signals
        self._before: dict[int, Any] = {}
        self._terminals: list[int] = []

    def __enter__(self) -> StopSwitch:
        if threading.current_thread() is threading.main_thread():
            self._terminals = [descriptor for descriptor in (1, 2) if os.isatty(descriptor)]
            for number in self._signals:
                if signal.getsignal(number) is not signal.SIG_IGN or number == signal.SIGINT:
                    self._before[number] = signal.signal(number, self._press)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for number in list(self._before):
            self._restore(number)

    def _press(self, number: int, _frame: FrameType | None) -> None:
        self.pressed, self.number = True, number
        if number == signal.SIGINT:
            self._restore(number)
        if number == signal.SIGHUP:
            self._mute()

    def _restore(self, number: int) -> None:
        signal.signal(number, self._before.pop(number))

    def _mute(self) -> None:
        """Writing to a terminal that is gone fails, and would end the run before its save."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for descriptor in self._terminals:
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
