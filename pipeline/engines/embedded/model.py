"""The model: one encoder for both people, one decoder for each, in Keras on TensorFlow.

Both people's faces pass the same encoder, so its code says how a face is turned, lit and speaking; a decoder draws one
person from that code. Swapping is encoding A and decoding with B's decoder. What a decoder draws is added to what
the person's look (`embedded_look`) makes of the face, so that training begins at a sharp face with the right
expression instead of at grey: on two cores that is the difference between a face after one minute and after an hour.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import EngineError
from .data import Batch, centre_crops
from .detail import DETAIL, enlarging, shrink
from .look import Drawn, Look, draw
from .store import OPTIMISER
from .temples import Temples, with_temples

__all__ = ["SHAPES", "TRIAL", "Shape", "SwapModel", "knows_looks", "look_arrays", "tensorflow"]

Floats = NDArray[np.float32]
_SLOPE = 0.1
_BASES = (0.02, 0.98)
"""What a look draws is taken for no darker and no lighter than this, or nothing could be added to it."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Layer widths. The encoder halves the picture with each layer, the decoder doubles it; `code` is the width of the
    bottleneck. `compiled` turns the steps into graphs: some seconds once, then several times as fast."""

    encoder: tuple[int, ...]
    code: int
    decoder: tuple[int, ...]
    compiled: bool = True


TRIAL = "tiny"
SHAPES = {
    "original": Shape((32, 64, 128, 256), 256, (256, 128, 64, 32, 16)),
    "lightweight": Shape((16, 32, 64, 128), 128, (128, 64, 32, 16, 16)),
    TRIAL: Shape((4, 8, 8, 8), 16, (8, 8, 8, 4, 4), compiled=False),
}
"""By the model names that faceswap uses; TRIAL is for trying out whether everything runs."""


@contextmanager
def _quiet_start() -> Iterator[None]:
    """TensorFlow's libraries write about themselves to file descriptor 2 when they are loaded, whatever the log level.

    It is kept back, and shown only if loading fails.
    """
    sys.stderr.flush()
    shown = os.dup(2)
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        try:
            yield
        except BaseException:
            kept.seek(0)
            os.write(shown, kept.read())
            raise
        finally:
            os.dup2(shown, 2)
            os.close(shown)


def tensorflow() -> tuple[Any, Any]:
    """Keras and TensorFlow, loaded without a word."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _quiet_start():
        import keras
        import tensorflow as tf
    return keras, tf


class SwapModel:
    """Encoder, two decoders and optimiser. Pictures are float32 (n, size, size, 3) in 0 … 1; sides are "a" and "b".

    One that is not there `to_train` only draws: it has no optimiser, which is a third of what is saved and of the
    time that starting takes."""

    def __init__(self, kind: str, size: int, seed: int, *, to_train: bool = True) -> None:
        keras, tf = tensorflow()
        shape = SHAPES.get(kind)
        if shape is None:
            raise EngineError(
                f"The embedded engine has no model {kind!r}, only {', '.join(SHAPES)}. "
                f"For {kind}, use faceswap: galloway train --engine faceswap --model {kind}"
            )
        if size % 16:
            raise EngineError(f"The model's size must be a multiple of 16, not {size}: -o size=64")
        keras.utils.set_random_seed(seed)
        self.kind, self.size = kind, size
        self._tf = tf
        self._encoder: Any = _encoder(keras, shape, size)
        self._decoders: dict[str, Any] = {side: _decoder(keras, shape, size) for side in "ab"}
        self._means: dict[str, Any] = {
            side: tf.Variable(tf.fill((size, size, 3), 0.5), trainable=False) for side in "ab"
        }
        self._optimiser: Any = None
        if to_train:
            self._optimiser = keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.99, clipnorm=5.0)
            self._optimiser.build(self._trained())
        self._compiled = shape.compiled
        self._step: Any = tf.function(self._train_step) if shape.compiled else self._train_step
        self._swaps: dict[tuple[str, str], Any] = {}
        self._temples: dict[tuple[str, str], Temples] = {}
        self.looks: dict[str, Look] = {}

    def set_looks(self, a: Look, b: Look) -> None:
        """Give each side's look; done once, before the first training."""
        self.looks = {"a": a, "b": b}
        self._temples.clear()
        for side, look in self.looks.items():
            self._means[side].assign(centre_crops(shrink(look.texture[None], look.detail), self.size)[0])

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(int(np.prod(variable.shape)) for variable in self._trained())

    def train_on(self, a: Batch, b: Batch, rate: float) -> tuple[float, float]:
        """One step on one batch of each side; returns both losses from before the step.

        Raises EngineError where memory runs out.
        """
        self._optimiser.learning_rate.assign(rate)
        try:
            loss_a, loss_b = self._step(*_parts_of(a), *_parts_of(b))
        except self._tf.errors.ResourceExhaustedError as error:
            raise EngineError(
                f"Memory ran out with {len(a.inputs)} faces a batch; the last save stands. "
                f"Go on with fewer: galloway train --batch-size {max(1, len(a.inputs) // 2)}"
            ) from error
        return float(loss_a), float(loss_b)

    @property
    def drawn(self) -> int:
        """How many pixels wide faces are drawn."""
        return self.size * min((look.detail for look in self.looks.values()), default=DETAIL)

    def swap(
        self,
        images: NDArray[np.uint8],
        shapes: NDArray[np.float64],
        source: str,
        target: str,
        gazes: NDArray[np.float64] | None = None,
    ) -> Drawn:
        """Faces of side `source` on canvases (n, c, c, 3), with their landmarks (n, 68, 2), drawn as side `target`.

        Gives pictures (n, s, s, 4) with s = `drawn`, the middle of the canvas. `gazes` is as in `look.draw`.
        """
        tf, way = self._tf, (source, target)
        if way not in self._swaps:
            pictures = [tf.TensorSpec((None, self.size, self.size, 3), tf.float32)]
            swapper = self._swapper(source, target)
            compiled = tf.function(swapper, input_signature=pictures)
            self._swaps[way] = compiled.get_concrete_function() if self._compiled else swapper
        look, uncovered = self.towards(source, target)
        seen = self.looks[source]
        made = draw(look, seen, images, shapes, middle=self.drawn, gazes=gazes, uncovered=uncovered)
        added = self._swaps[way](tf.constant(centre_crops(images, self.size)))
        for picture, more in zip(made.pictures, np.asarray(added), strict=True):
            _add(picture, more)
        return made

    def towards(self, source: str, target: str) -> tuple[Look, Floats | None]:
        """The look by which `target` is drawn onto `source`, and where of its texture nothing of `source` lies before
        it, None: everywhere. It is worked out once."""
        if source == target:
            return self.looks[target], None
        way = (source, target)
        if way not in self._temples:
            self._temples[way] = with_temples(self.looks[target], self.looks[source])
        return self._temples[way]

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that training goes on from."""
        arrays = {f"{part}/{i}": v.numpy() for part, vs in self._parts().items() for i, v in enumerate(vs)}
        arrays |= look_arrays(self.looks)
        return {name: np.asarray(value) for name, value in arrays.items()}

    def from_arrays(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `to_arrays` gave. Raises EngineError where it belongs to another model."""
        if not knows_looks(arrays):
            raise EngineError(
                "The saved model was made by an earlier Galloway, which drew faces in another way. "
                "Train it a little further, which keeps what it has learnt: galloway train"
            )
        self._temples.clear()
        for side in "ab":
            self.looks[side] = Look(**{field.name: arrays[f"look_{side}/{field.name}"] for field in fields(Look)})
        for part, variables in self._parts().items():
            for index, variable in enumerate(variables):
                value = arrays.get(f"{part}/{index}")
                if value is None or tuple(value.shape) != tuple(variable.shape):
                    raise EngineError(
                        f"The saved model does not fit {self.kind} of {self.size} pixels ({part}/{index} differs). "
                        "Train with the settings it was begun with, or move it away."
                    )
                variable.assign(value)

    def _parts(self) -> dict[str, list[Any]]:
        parts = {f"decoder_{side}": list(model.variables) for side, model in self._decoders.items()}
        # Keras keeps some of its variables behind a wrapper; all of them have numpy(), assign() and shape.
        return {
            "encoder": list(self._encoder.variables),
            **parts,
            "means": [self._means["a"], self._means["b"]],
            OPTIMISER: list(self._optimiser.variables) if self._optimiser else [],
        }

    def _trained(self) -> list[Any]:
        models = (self._encoder, self._decoders["a"], self._decoders["b"])
        return [variable for model in models for variable in model.trainable_variables]

    def _draw(self, drawn: Any, base: Any) -> Any:
        tf = self._tf
        base = tf.clip_by_value(base, *_BASES)
        return tf.sigmoid(tf.math.log(base / (1 - base)) + drawn)

    def _swapper(self, source: str, target: str) -> Any:
        def added(faces: Any) -> Any:
            code = self._encoder(faces - self._means[source], training=False)
            return self._decoders[target](code, training=False)

        return added

    def _train_step(
        self, in_a: Any, base_a: Any, out_a: Any, mask_a: Any, in_b: Any, base_b: Any, out_b: Any, mask_b: Any
    ) -> Any:
        tf = self._tf
        count = tf.shape(in_a)[0]
        with tf.GradientTape() as tape:
            both = tf.concat([in_a - self._means["a"], in_b - self._means["b"]], axis=0)
            code = self._encoder(both, training=True)
            drawn_a = self._draw(self._decoders["a"](code[:count], training=True), base_a)
            drawn_b = self._draw(self._decoders["b"](code[count:], training=True), base_b)
            loss_a, loss_b = _loss(tf, drawn_a, out_a, mask_a), _loss(tf, drawn_b, out_b, mask_b)
            total = loss_a + loss_b
        trained = self._trained()
        self._optimiser.apply_gradients(zip(tape.gradient(total, trained), trained, strict=True))
        return loss_a, loss_b


def knows_looks(arrays: Mapping[str, NDArray[Any]]) -> bool:
    """Whether a saved model says of both people all that is drawn by."""
    return all(f"look_{side}/{field.name}" in arrays for side in "ab" for field in fields(Look))


def look_arrays(looks: Mapping[str, Look]) -> dict[str, NDArray[Any]]:
    """Looks by side, as a saved model has them."""
    return {f"look_{side}/{name}": value for side, look in looks.items() for name, value in look.to_arrays().items()}


_ODDS = np.log(1 / np.clip(np.arange(256) / 255, *_BASES) - 1).astype(np.float32)
"""For each level of a band the logarithm of how much it lacks of white against what it has."""
_ALPHA = np.uint32(0xFF000000)


def _add(picture: NDArray[np.uint8], added: Floats) -> None:
    """Put on a drawn face (s, s, 4) what a decoder adds to its colours (size, size, 3), in place: what `_draw` says of
    a picture in 0 … 1, rounded."""
    between = enlarging(len(added), len(picture) // len(added))
    # A pixel as one number: bands that lie mixed are not worked on in steps of four.
    pixels = picture.view("<u4")[..., 0]
    made = pixels & _ALPHA
    for band in range(3):
        shift = np.uint32(8 * band)
        levels = _ODDS.take(((pixels >> shift) & np.uint32(255)).astype(np.intp), mode="clip")
        levels -= between @ np.ascontiguousarray(added[..., band]) @ between.T
        np.exp(levels, out=levels)
        levels += np.float32(1)
        np.divide(np.float32(255), levels, out=levels)
        levels += np.float32(0.5)
        made |= levels.astype(np.uint32) << shift
    pixels[:] = made


def _parts_of(batch: Batch) -> tuple[Floats, Floats, Floats, Floats]:
    return batch.inputs, batch.bases, batch.targets, batch.masks


def _encoder(keras: Any, shape: Shape, size: int) -> Any:
    layers = keras.layers
    picture = layers.Input((size, size, 3))
    x = picture
    for width in shape.encoder:
        x = layers.Conv2D(width, 3, strides=2, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=_SLOPE)(x)
    edge = size // 2 ** len(shape.encoder)
    x = layers.Dense(shape.code)(layers.Flatten()(x))
    x = layers.Dense(edge * edge * shape.decoder[0])(x)
    x = layers.LeakyReLU(negative_slope=_SLOPE)(layers.Reshape((edge, edge, shape.decoder[0]))(x))
    return keras.Model(picture, x)


def _decoder(keras: Any, shape: Shape, size: int) -> Any:
    layers = keras.layers
    edge = size // 2 ** len(shape.encoder)
    code = layers.Input((edge, edge, shape.decoder[0]))
    x = code
    for width in shape.decoder[1:]:
        x = layers.Conv2D(4 * width, 3, padding="same")(x)
        x = layers.LeakyReLU(negative_slope=_SLOPE)(x)
        x = _shuffle(layers, x, edge, width)
        edge *= 2
    # The last layer starts at nothing, so that the first picture is the look's.
    return keras.Model(code, layers.Conv2D(3, 3, padding="same", kernel_initializer="zeros")(x))


def _shuffle(layers: Any, x: Any, edge: int, width: int) -> Any:
    """Four channels become a square of two by two pixels (Shi et al. 2016)."""
    x = layers.Reshape((edge, edge, 2, 2, width))(x)
    x = layers.Permute((1, 3, 2, 4, 5))(x)
    return layers.Reshape((edge * 2, edge * 2, width))(x)


def _loss(tf: Any, drawn: Any, wanted: Any, mask: Any) -> Any:
    """Mean absolute error, and structural dissimilarity of the grey picture (Wang et al. 2004, 7 x 7 means), ten times
    as much inside the mask as outside."""
    weight = 0.1 + 0.9 * mask
    weight /= tf.reduce_mean(weight)
    absolute = tf.reduce_mean(weight * tf.abs(drawn - wanted))
    one, two = (tf.reduce_mean(picture, axis=3, keepdims=True) for picture in (drawn, wanted))
    means = tf.nn.avg_pool2d(tf.concat([one, two, one * one, two * two, one * two], axis=3), 7, 1, "SAME")
    mean_d, mean_w, square_d, square_w, product = tf.split(means, 5, axis=3)
    ssim = (2 * mean_d * mean_w + 1e-4) * (2 * (product - mean_d * mean_w) + 9e-4)
    ssim /= (mean_d**2 + mean_w**2 + 1e-4) * (square_d - mean_d**2 + square_w - mean_w**2 + 9e-4)
    return 2 * absolute + 0.5 * tf.reduce_mean(weight * (1 - ssim) / 2)
