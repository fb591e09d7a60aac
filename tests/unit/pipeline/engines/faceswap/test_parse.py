"""What both lines print, cut as the pipe cuts it, gives the same events."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from galloway.pipeline.engines.faceswap.parse import (
    Bar,
    Event,
    Log,
    Loss,
    LossWatch,
    PreviewUpdated,
    Saved,
    Splitter,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st

V2_TRAIN = (
    "11/22/2026 07:47:15 INFO     Loading data, this may take a while...\n"
    "\r[07:47:47] [#00001] Loss A: 0.30090, Loss B: 0.38068\n"
    "11/22/2026 07:47:59 INFO     [Saved model] - Average loss since last save: face_a: 0.30090, face_b: 0.38068\n"
    "\r[07:48:10] [#00002] Loss A: 0.21118, Loss B: 0.25228\n"
    "11/22/2026 07:48:20 INFO     [Preview Updated]\n"
    "\r[07:48:31] [#00003] Loss A: 0.26292, Loss B: 0.25243\r[07:48:41] [#00004] Loss A: 0.25237, Loss B: 0.28698"
    "11/22/2026 07:49:57 INFO     Exit requested! The trainer will complete its current cycle\n"
    "\n11/22/2026 07:49:56 INFO     [Saved model]\n"
)
MASTER_TRAIN = (
    "[07:51:42] [#00001] Loss A: 0.40064, Loss B: 0.37147\r\x1b[2K\r11/22/2026 07:52:03 INFO     Saving Model...\n"
    "11/22/2026 07:53:28 INFO     [Saved model] - Average total loss since last save: 0.69139 [Model backed up]\n"
    "[07:53:40] [#00005] Loss A: 0.32370, Loss B: 0.32033\r\x1b[2K\r11/22/2026 07:54:00 INFO     [Preview Updated]\n"
)
EXTRACT = (
    "\rRunning pass 1 of 1: Extraction:   0%|          | 0/275 [00:00<?, ?it/s]"
    "\rRunning pass 1 of 1: Extraction:  29%|██▉       | 80/275 [00:00<00:01, 137.46it/s]\n"
    "\rExtracting faces:  50%|█████     | 138/275 [00:01<00:01, 86.51it/s]\n"
    "\rConverting:  57%|#####7    | 17/30 [00:10<00:09,  1.35it/s]\n"
)


def events(text: str, cuts: list[int] | None = None) -> list[Event]:
    splitter = Splitter()
    places = [0, *sorted(cuts or []), len(text)]
    lines: list[str] = []
    for start, end in pairwise(places):
        lines += splitter.feed(text[start:end])
    lines += splitter.close()
    return [event for line in lines for event in parse(line)]


def test_the_v2_line() -> None:
    assert events(V2_TRAIN) == [
        Log("INFO", "Loading data, this may take a while..."),
        Loss(1, 0.30090, 0.38068),
        Saved("Average loss since last save: face_a: 0.30090, face_b: 0.38068"),
        Loss(2, 0.21118, 0.25228),
        PreviewUpdated(),
        Loss(3, 0.26292, 0.25243),
        Loss(4, 0.25237, 0.28698),
        Log("INFO", "Exit requested! The trainer will complete its current cycle"),
        Saved(""),
    ]


def test_the_master_line() -> None:
    assert events(MASTER_TRAIN) == [
        Loss(1, 0.40064, 0.37147),
        Log("INFO", "Saving Model..."),
        Saved("Average total loss since last save: 0.69139 [Model backed up]"),
        Loss(5, 0.32370, 0.32033),
        PreviewUpdated(),
    ]


def test_progress_bars_of_both() -> None:
    assert events(EXTRACT) == [
        Bar("Running pass 1 of 1: Extraction", 0, 275),
        Bar("Running pass 1 of 1: Extraction", 80, 275),
        Bar("Extracting faces", 138, 275),
        Bar("Converting", 17, 30),
    ]


@pytest.mark.parametrize("text", [V2_TRAIN, MASTER_TRAIN, EXTRACT])
@given(data=st.data())
def test_where_the_pipe_cuts_does_not_matter(text: str, data: st.DataObject) -> None:
    cuts = data.draw(st.lists(st.integers(0, len(text)), max_size=12))
    assert events(text, cuts) == events(text)


@given(st.text(max_size=300))
def test_no_text_breaks_the_parser(text: str) -> None:
    events(text)


def test_a_loss_that_is_no_number() -> None:
    (event,) = events("\r[07:48:31] [#00003] Loss A: nan, Loss B: 0.25243\r")
    assert isinstance(event, Loss) and math.isnan(event.a)
    (warning,) = LossWatch().feed(event)
    assert "side A" in warning and "NaN" in warning


def test_a_collapse_is_told_once_and_a_falling_loss_never() -> None:
    watch = LossWatch(window=5)
    assert not any(watch.feed(Loss(n, 1 / n, 1 / n)) for n in range(1, 40))
    told = [warning for n in range(40, 60) for warning in watch.feed(Loss(n, 0.9, 0.02))]
    assert len(told) == 1 and "side A" in told[0] and "collapsing" in told[0]


def test_a_loss_line_is_given_out_before_its_end() -> None:
    assert Splitter().feed("\r[07:48:31] [#00003] Loss A: 0.26292, Loss B: 0.25243") != []


def test_a_line_without_an_end_keeps_nobody_waiting() -> None:
    splitter = Splitter()
    told = [line for _ in range(20) for line in splitter.feed("9 " * 32768)]
    told += splitter.feed("\n[07:48:31] [#00003] Loss A: 0.26292, Loss B: 0.25243")
    assert [event for line in told[-1:] for event in parse(line)] == [Loss(3, 0.26292, 0.25243)]
    assert [list(parse(line)) for line in told[:-1]] and max(map(len, told)) < 5000


def test_what_a_bar_is_about_stands_before_it() -> None:
    said = "Running pass 1 of 1: Extraction:  29%|##9       | 80/275 [00:00<00:01, 137.46it/s]"
    assert list(parse(said)) == [Bar("Running pass 1 of 1: Extraction", 80, 275)]
