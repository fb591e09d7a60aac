"""Training: losses, saves, going on, stopping, and what goes wrong."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from galloway.curation.files import TEMPORARY
from galloway.pipeline.engines.align import FACE_SPAN, face_matrix, transform_points
from galloway.pipeline.engines.base import EngineError, TrainEvent, TrainRequest, TrainResult
from galloway.pipeline.engines.embedded import train as training
from galloway.pipeline.engines.embedded.data import (
    MARGIN,
    FaceStack,
    canvas_matrix,
    centre_crops,
    load_faces,
    make_batch,
    side_of,
)
from galloway.pipeline.engines.embedded.model import SwapModel
from galloway.pipeline.engines.embedded.store import MODEL_NAME, ModelState, load_model, save_model
from galloway.pipeline.engines.embedded.train import train
from numpy.typing import NDArray
from PIL import Image

from tests.support.engines import landmarks_at, plain_look, write_faces


def stored_state(folder: Path) -> ModelState:
    model = load_model(folder)
    assert model is not None
    return model[0]


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("faces")
    write_faces(root / "a", 9)
    write_faces(root / "b", 7, skin=(120, 80, 60))
    return root


def a_request(root: Path, faces: Path, **changes: object) -> TrainRequest:
    request = TrainRequest(
        faces_a=faces / "a",
        faces_b=faces / "b",
        model_dir=root / "model",
        work_dir=root / "run",
        model="tiny",
        iterations=4,
        batch_size=3,
        save_every=2,
        options={"size": "32"},
    )
    return replace(request, **changes)  # type: ignore[arg-type]


def run(request: TrainRequest) -> tuple[TrainResult, list[TrainEvent]]:
    events: list[TrainEvent] = []
    return train(request, events.append), events


def of_kind(events: list[TrainEvent], kind: str) -> list[int]:
    return [event.iteration for event in events if event.kind == kind]


def test_losses_saves_previews_and_timelapse_are_told(tmp_path: Path, faces: Path) -> None:
    result, events = run(a_request(tmp_path, faces))
    assert (result.iterations, result.stopped) == (4, "done")
    assert of_kind(events, "loss") == [1, 2, 3, 4]
    assert of_kind(events, "saved") == [1, 2, 4]
    assert len(of_kind(events, "warning")) == 2, "both sides have few faces"
    assert result.preview is not None
    with Image.open(result.preview) as sheet:
        assert sheet.width > 600
    assert sorted(path.name for path in (tmp_path / "run" / "timelapse").iterdir()) == [
        "00000001.jpg",
        "00000002.jpg",
        "00000004.jpg",
    ]
    state = stored_state(tmp_path / "model")
    assert state is not None
    assert [point[0] for point in state.history] == [1, 2, 4]
    assert not list(tmp_path.rglob(f"{TEMPORARY}*"))


def test_the_same_seed_gives_the_same_losses(tmp_path: Path, faces: Path) -> None:
    losses = []
    for name in ("one", "two"):
        _, events = run(a_request(tmp_path / name, faces, seed=5))
        losses.append([event.loss_a for event in events if event.kind == "loss" and event.loss_a is not None])
    assert np.allclose(losses[0], losses[1], rtol=1e-3)


def test_a_run_goes_on_where_the_last_one_stopped(tmp_path: Path, faces: Path) -> None:
    run(a_request(tmp_path, faces))
    saved = load_model(tmp_path / "model")
    result, events = run(a_request(tmp_path, faces, iterations=3))
    assert result.iterations == 7
    assert of_kind(events, "loss") == [5, 6, 7]
    after = load_model(tmp_path / "model")
    assert saved is not None
    assert after is not None
    assert np.array_equal(saved[1]["means/0"], after[1]["means/0"])
    assert not np.array_equal(saved[1]["encoder/0"], after[1]["encoder/0"])


def test_a_run_goes_on_with_the_rate_at_which_the_last_one_ended(tmp_path: Path, faces: Path) -> None:
    seen: list[int] = []

    def stop_soon(event: TrainEvent) -> None:
        if event.kind == "loss":
            seen.append(event.iteration)
            if len(seen) == 5:
                raise KeyboardInterrupt

    request = a_request(tmp_path, faces, iterations=10)
    assert train(request, stop_soon).stopped == "interrupted"
    share = stored_state(request.model_dir).share
    train(replace(request, iterations=1), lambda event: None)
    assert stored_state(request.model_dir).share == pytest.approx(share, rel=0.05)
    with_rise = replace(request, iterations=12)
    train(with_rise, lambda event: None)
    assert stored_state(request.model_dir).share < 0.1


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_after_a_save_and_is_given_back(tmp_path: Path, faces: Path, asked: signal.Signals) -> None:
    before = signal.getsignal(asked)
    events: list[TrainEvent] = []

    def interrupt(event: TrainEvent) -> None:
        events.append(event)
        if event.kind == "loss" and event.iteration == 3:
            os.kill(os.getpid(), asked)

    result = train(a_request(tmp_path, faces, iterations=50, save_every=100), interrupt)
    assert (result.stopped, result.iterations) == ("interrupted", 3)
    assert of_kind(events, "saved") == [1, 3]
    assert signal.getsignal(asked) is before


def test_an_interrupt_from_the_callback_saves_too(tmp_path: Path, faces: Path) -> None:
    def interrupt(event: TrainEvent) -> None:
        if event.kind == "loss" and event.iteration == 2:
            raise KeyboardInterrupt

    result = train(a_request(tmp_path, faces, iterations=50, save_every=100), interrupt)
    state = stored_state(tmp_path / "model")
    assert state is not None
    assert result.stopped == "interrupted"
    assert state.iterations == result.iterations == 2


def test_minutes_limit_a_run(tmp_path: Path, faces: Path) -> None:
    result, _ = run(a_request(tmp_path, faces, iterations=10**6, minutes=0.02))
    assert result.stopped == "time"
    assert 1 <= result.iterations < 10**4


def test_minutes_are_the_whole_run_and_the_occlusion_mask_has_half_of_them(
    tmp_path: Path, faces: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of ten minutes took twenty: the mask had as long as the swap, and nobody had been told so."""
    seconds, shares, lasts = [0.0], [], [10_000.0, 30.0]

    def teach(*_: object, stop: Callable[[], bool], used: Callable[[], float], **__: Any) -> None:
        until = seconds[0] + lasts.pop(0)
        while seconds[0] < until and not stop():
            seconds[0] += 30
        shares.append(used())

    monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    monkeypatch.setattr(training, "TRIAL", "")
    monkeypatch.setattr(training, "teach", teach)
    left: list[float] = []

    def pass_time(event: TrainEvent) -> None:
        if event.kind == "loss":
            assert event.left is not None
            left.append(event.left)
            seconds[0] += 30

    request = a_request(tmp_path, faces, iterations=10**6, minutes=10.0, options={"size": "32", "detail": "2"})
    assert train(request, pass_time).stopped == "time"
    assert (seconds[0], left[0], shares) == (600.0, 300.0, [1.0]), "taught until its half is over"
    assert train(request, pass_time).stopped == "time"
    assert (seconds[0], left[10], shares[1]) == (1200.0, 570.0, 0.1), "what the mask does not need is the swap's"


def test_losses_that_are_no_numbers_end_with_the_last_save_standing(tmp_path: Path, faces: Path) -> None:
    run(a_request(tmp_path, faces))
    saved = load_model(tmp_path / "model")
    assert saved is not None
    state, arrays = saved
    arrays["encoder/0"] = np.full_like(arrays["encoder/0"], np.nan)
    save_model(tmp_path / "model", arrays, state)
    events: list[TrainEvent] = []
    with pytest.raises(EngineError, match="no numbers"):
        train(a_request(tmp_path, faces), events.append)
    assert len([event for event in events if "half the rate" in event.text]) == 3
    assert stored_state(tmp_path / "model") == state


def test_where_there_are_no_hard_links_the_save_before_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    for iterations in (1, 2):
        save_model(tmp_path, {}, ModelState("tiny", 32, 1, iterations))
    (tmp_path / MODEL_NAME).write_bytes(b"torn")
    assert stored_state(tmp_path).iterations == 1


def test_a_damaged_model_gives_way_to_its_backup(tmp_path: Path, faces: Path) -> None:
    run(a_request(tmp_path, faces))
    path = tmp_path / "model" / MODEL_NAME
    path.write_bytes(path.read_bytes()[:1000])
    result, events = run(a_request(tmp_path, faces, iterations=1))
    assert of_kind(events, "loss") == [3], "the backup is of iteration 2"
    assert result.iterations == 3
    for name in (MODEL_NAME, MODEL_NAME + ".bk"):
        (tmp_path / "model" / name).write_bytes(b"junk")
    with pytest.raises(EngineError, match="no backup"):
        run(a_request(tmp_path, faces))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": "villain"}, "--engine faceswap --model villain"),
        ({"options": {"size": "big"}}, "from 16 to 512"),
        ({"options": {"size": "40"}}, "multiple of 16"),
        ({"options": {"size": "32", "mirror": "often"}}, "yes or no"),
        ({"batch_size": 0}, "at least 1"),
        ({"faces_b": Path("nowhere")}, "holds no faces"),
    ],
)
def test_what_cannot_be_trained_is_refused(tmp_path: Path, faces: Path, changes: dict[str, object], words: str) -> None:
    with pytest.raises(EngineError, match=words):
        run(a_request(tmp_path, faces, **changes))
    assert not (tmp_path / "model" / MODEL_NAME).exists()


def test_another_size_does_not_overwrite_a_model(tmp_path: Path, faces: Path) -> None:
    run(a_request(tmp_path, faces, iterations=1))
    with pytest.raises(EngineError, match="-o size=32"):
        run(a_request(tmp_path, faces, options={"size": "48"}))


def test_a_png_without_header_is_named(tmp_path: Path, faces: Path) -> None:
    folder = tmp_path / "b"
    folder.mkdir()
    Image.new("RGB", (64, 64)).save(folder / "holiday.png")
    with pytest.raises(EngineError, match=r"holiday\.png"):
        run(a_request(tmp_path, faces, faces_b=folder))


def test_saving_over_a_save_keeps_the_one_before(tmp_path: Path) -> None:
    for iterations in (1, 2):
        save_model(tmp_path, {"x/0": np.full(3, iterations)}, ModelState("tiny", 32, 1, iterations))
    (tmp_path / MODEL_NAME).unlink()
    saved = load_model(tmp_path)
    assert saved is not None
    assert (saved[0].iterations, saved[1]["x/0"][0]) == (1, 1)


def test_a_new_model_draws_the_look_of_the_other_side(faces: Path) -> None:
    model = SwapModel("tiny", 32, 1)
    model.set_looks(plain_look(0.3, 32), plain_look(0.8, 32))
    stack = load_faces(faces / "a", 32)
    drawn = model.swap(stack.images[:2], stack.shapes[:2], "a", "b").pictures
    assert drawn.shape == (2, 64, 64, 4)
    assert np.allclose(drawn[..., :3] / 255, 0.8, atol=0.005)


def test_what_the_network_adds_moves_a_colour_along_the_logistic_curve_it_is_trained_on(faces: Path) -> None:
    model = SwapModel("tiny", 32, 1)
    model.set_looks(plain_look(0.3, 32), plain_look(0.8, 32))
    arrays = model.to_arrays()
    last = max((name for name in arrays if name.startswith("decoder_b/")), key=lambda name: int(name.split("/")[1]))
    model.from_arrays({**arrays, last: np.array([0.5, -0.5, 2.0], np.float32)})
    stack = load_faces(faces / "a", 32)
    drawn = model.swap(stack.images[:2], stack.shapes[:2], "a", "b").pictures[..., :3] / 255
    base = np.rint(0.8 * 255) / 255
    wanted = 1 / (1 + (1 / base - 1) * np.exp(-np.array([0.5, -0.5, 2.0])))
    assert np.abs(drawn - wanted).max() < 0.003


def test_how_large_faces_are_drawn_is_chosen_and_said(tmp_path: Path, faces: Path) -> None:
    write_faces(tmp_path / "large", 4, size=512)
    assert side_of(tmp_path / "large") == pytest.approx(50 / FACE_SPAN, rel=0.05), "as in the frame, not as the crop"
    assert side_of(faces / "a") < side_of(tmp_path / "large")
    said: list[str] = []
    train(a_request(tmp_path, faces, options={"size": "16", "detail": "4"}), lambda event: said.append(event.text))
    assert any("64 pixels wide, as -o detail=4 says" in text for text in said)
    with pytest.raises(EngineError, match="detail is 2 or 4"):
        run(a_request(tmp_path / "other", faces, options={"detail": "3"}))


def test_a_model_of_an_earlier_version_keeps_what_it_learnt_and_is_not_converted_with(
    tmp_path: Path, faces: Path
) -> None:
    run(a_request(tmp_path, faces))
    saved = load_model(tmp_path / "model")
    assert saved is not None
    state, arrays = saved
    earlier = {name: array for name, array in arrays.items() if not name.endswith("/kept")}
    save_model(tmp_path / "model", earlier, state)
    model = SwapModel(state.kind, state.size, state.seed, to_train=False)
    with pytest.raises(EngineError, match=r"earlier Galloway.*keeps what it has learnt"):
        model.from_arrays(earlier)
    said: list[str] = []
    request = a_request(tmp_path, faces)
    result = train(request, lambda event: said.append(event.text))
    assert any("what was learnt stays" in text for text in said)
    assert result.iterations == state.iterations + request.iterations
    model.from_arrays(load_model(tmp_path / "model")[1])  # type: ignore[index]
    assert len(model.looks["b"].texture) == len(arrays["look_b/texture"])


def test_who_goes_on_with_other_faces_draws_those_and_not_the_ones_that_were_taken_out(
    tmp_path: Path, faces: Path
) -> None:
    """A mean face of the first training's faces, people who were rejected since among them, was drawn for ever."""
    first = a_request(tmp_path, faces, options={"size": "16", "detail": "4"})
    run(first)
    write_faces(tmp_path / "others", 6, skin=(60, 90, 200))
    wanted = load_faces(tmp_path / "others", 16, 4).look()
    _, events = run(replace(first, faces_b=tmp_path / "others", options={"size": "16"}))
    assert any("other faces than the last time" in event.text for event in events)
    saved = load_model(tmp_path / "model")
    assert saved is not None
    for name, array in wanted.to_arrays().items():
        assert np.array_equal(saved[1][f"look_b/{name}"], array), name
    _, events = run(replace(first, faces_b=tmp_path / "others"))
    assert not any("worked out anew" in event.text for event in events), "the same faces under the same look"


def test_batches_are_warped_alike_and_masks_follow(faces: Path) -> None:
    stack = load_faces(faces / "a", 32)
    batch = make_batch(stack, stack.images, 6, np.random.default_rng(3))
    again = make_batch(stack, stack.images, 6, np.random.default_rng(3))
    assert batch.inputs.shape == batch.bases.shape == batch.targets.shape == (6, 32, 32, 3)
    unlit = np.median(batch.targets / np.maximum(batch.bases, 0.1), axis=(1, 2, 3))
    assert np.corrcoef((batch.bases[0] * unlit[0]).ravel(), batch.targets[0].ravel())[0, 1] > 0.99
    assert batch.masks.shape == (6, 32, 32, 1)
    assert np.array_equal(batch.inputs, again.inputs)
    assert not np.array_equal(batch.inputs, batch.targets)
    assert 0.2 < batch.masks.mean() < 0.8
    inside = batch.targets[batch.masks[..., 0] > 0.9]
    outside = batch.targets[batch.masks[..., 0] < 0.1]
    skin = np.array([220, 170, 140]) / 255
    assert np.abs(np.median(inside, axis=0) - skin).max() < np.abs(np.median(outside, axis=0) - skin).max()


def a_stack(images: NDArray[np.uint8]) -> FaceStack:
    masks, shapes = np.full(images.shape[:3], 255, np.uint8), np.zeros((len(images), 68, 2))
    return FaceStack(images, masks, shapes, images[:0], np.zeros(0, np.int64), 32, ("one",))


def test_what_is_trained_on_is_what_is_converted(faces: Path) -> None:
    """The crop of a training face lies where the face will be put: half a pixel would blur all that is drawn."""
    landmarks = landmarks_at(80, 60, 50)
    for canvas in (40, 80, 160):
        inner = round(canvas / MARGIN)
        moved = transform_points(canvas_matrix(landmarks, canvas), landmarks) - (canvas - inner) / 2
        assert np.allclose(moved, transform_points(face_matrix(landmarks, inner), landmarks))


def test_mirrored_faces_only_on_request() -> None:
    left = np.zeros((1, 40, 40, 3), np.uint8)
    left[:, :, :20] = 255
    stack = a_stack(left)
    for mirror in (False, True):
        batch = make_batch(stack, left, 40, np.random.default_rng(1), mirror=mirror)
        brighter_left = batch.targets[:, :, :12].mean(axis=(1, 2, 3)) > batch.targets[:, :, 20:].mean(axis=(1, 2, 3))
        assert brighter_left.all() != mirror
        assert brighter_left.any()


def test_crops_for_training_show_the_face_upright_in_the_middle(faces: Path) -> None:
    crops = centre_crops(load_faces(faces / "a", 32).images, 32)
    assert crops.std(axis=0)[14:18, 14:18].max() < 0.12, "turned and moved faces were brought into one place"


def test_a_stack_of_one_face_can_be_trained_on() -> None:
    stack = a_stack(np.zeros((1, 40, 40, 3), np.uint8))
    assert make_batch(stack, stack.images, 2, np.random.default_rng(0)).inputs.shape == (2, 32, 32, 3)


def test_a_step_after_loading_is_the_step_that_would_have_come(faces: Path) -> None:
    """Weights and optimiser: a run that goes on is not thrown back by moments that begin at nothing."""
    stack = load_faces(faces / "a", 32)
    bases = np.zeros_like(stack.images)
    batches = [make_batch(stack, bases, 3, np.random.default_rng(number)) for number in range(4)]
    model, again = SwapModel("tiny", 32, 1), SwapModel("tiny", 32, 2)
    model.set_looks(plain_look(0.5, 40), plain_look(0.4, 40))
    for batch in batches[:3]:
        model.train_on(batch, batch, 1e-3)
    again.from_arrays(model.to_arrays())
    assert again.train_on(batches[3], batches[3], 1e-3) == pytest.approx(model.train_on(batches[3], batches[3], 1e-3))
    for name, value in model.to_arrays().items():
        np.testing.assert_allclose(again.to_arrays()[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


def test_going_on_does_not_throw_the_losses_back(tmp_path: Path, faces: Path) -> None:
    _, before = run(a_request(tmp_path, faces, iterations=24, save_every=60))
    _, after = run(a_request(tmp_path, faces, iterations=8, save_every=60))
    last, first = ([event.loss_a for event in events if event.kind == "loss"] for events in (before, after))
    end = np.array(last[-10:], float)
    assert np.mean(np.array(first, float)) < end.mean() + 2 * end.std()


class Killed(BaseException):
    """What no code catches, as nothing is caught when the power goes."""


def test_a_run_with_an_end_that_was_killed_ends_with_the_same_weights(tmp_path: Path, faces: Path) -> None:
    def kill(event: TrainEvent) -> None:
        if event.kind == "loss" and event.iteration == 5:
            raise Killed

    whole = train(a_request(tmp_path / "whole", faces, until=8), lambda _: None)
    with pytest.raises(Killed):
        train(a_request(tmp_path / "cut", faces, until=8), kill)
    assert stored_state(tmp_path / "cut" / "model").iterations == 4
    cut = train(a_request(tmp_path / "cut", faces, until=8), lambda _: None)
    assert whole == replace(cut, preview=whole.preview)
    one, other = (load_model(tmp_path / name / "model") for name in ("whole", "cut"))
    assert one is not None and other is not None
    assert all(np.array_equal(one[1][name], other[1][name]) for name in one[1])
    again = train(a_request(tmp_path / "cut", faces, until=8), lambda _: None)
    assert (again.iterations, again.stopped) == (8, "done")


def test_another_end_is_another_run_with_rates_of_its_own(tmp_path: Path, faces: Path) -> None:
    train(a_request(tmp_path, faces, until=4), lambda _: None)
    train(a_request(tmp_path, faces, until=9), lambda _: None)
    state = stored_state(tmp_path / "model")
    assert (state.iterations, state.until, state.began) == (9, 9, 4)
    assert state.before is not None and state.before < 1
