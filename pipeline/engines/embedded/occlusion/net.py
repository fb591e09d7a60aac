"""A small fully convolutional net that says of each pixel of a face whether something lies before it.

Pixels are taken four together, halved twice and brought back with skips (U-Net, Ronneberger et al. 2015; Shi et al.
2016), 0.3 M parameters, in Keras on TensorFlow. Beside the picture it sees how that differs from the person's ground.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...align import hull_mask
from ...base import EngineError
from ..model import tensorflow
from .edges import along_edges
from .ground import Ground, apart

__all__ = ["SIDE", "OcclusionNet", "hull_plane"]

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Numbers = NDArray[np.int64]

SIDE = 96
"""Pixels of a face's canvas as the net sees it."""
OUTSIDE = 0.25
"""What a pixel off the face counts in the loss: nothing is drawn there, but what is learnt there reaches in."""
_WIDTHS = (32, 48, 80)
_AT_ONCE = 32
_MOST = 0.01
"""Share of the canvas that is taken to be covered at least in a face that people call covered."""


class OcclusionNet:
    """The net and its optimiser. Faces are canvases, uint8 (n, SIDE, SIDE, 3); what covers them is float32 (n, SIDE,
    SIDE)."""

    def __init__(self, seed: int = 1) -> None:
        keras, self._tf = tensorflow()
        keras.utils.set_random_seed(seed)
        self._net: Any = _net(keras, self._tf)
        self._optimiser: Any = keras.optimizers.Adam(1e-3, clipnorm=5.0)
        self._optimiser.build(self._net.trainable_variables)
        self._step: Any = self._tf.function(self._train_step, reduce_retracing=True)
        self.grounds: tuple[Ground, ...] = ()
        picture = self._tf.TensorSpec((None, SIDE, SIDE, _PLANES))
        self._ask: Any = self._tf.function(lambda x: self._tf.sigmoid(self._net(x, training=False)), [picture])

    def planes(self, images: Bytes, shapes: Doubles, whose: Numbers | None = None) -> Floats:
        """What the net sees of faces with landmarks `shapes` (n, 68, 2) on their canvases: colours, what is face, and
        how they differ from the ground, by colour and in all; float32 (n, SIDE, SIDE, 8). `whose` is as in `apart`."""
        hulls = np.stack([hull_plane(shape) for shape in shapes])
        strange = apart(self.grounds, images, shapes, whose) / np.float32(2)
        far = np.abs(strange).max(axis=3, keepdims=True) - np.float32(1)
        return np.concatenate([images / np.float32(127.5) - 1, hulls[..., None], strange, far], axis=3)

    def train_on(self, planes: Floats, truth: Floats, sure: Floats, known: Floats, rate: float) -> float:
        """One step; the loss from before it. `known` (n,) is 1 where `truth` says what covers the face, in pixels that
        are `sure` (n, SIDE, SIDE), 0 where only that something does."""
        self._optimiser.learning_rate.assign(rate)
        parts = (planes, truth[..., None], sure[..., None], known)
        return float(self._step(*(self._tf.constant(part) for part in parts)))

    def predict(self, images: Bytes, shapes: Doubles, whose: Numbers | None = None) -> Floats:
        """How likely each pixel is covered, by faces with landmarks `shapes` (n, 68, 2) on their canvases; `whose` is
        as in `apart`."""
        found = [np.zeros((0, SIDE, SIDE), np.float32)]
        for start in range(0, len(images), _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            persons = None if whose is None else whose[part]
            planes = self._tf.constant(self.planes(images[part], shapes[part], persons))
            found.append(along_edges(np.asarray(self._ask(planes))[..., 0], images[part]))
        return np.concatenate(found)

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that training goes on from."""
        parts = self._parts().items()
        arrays = {f"{part}/{n}": np.asarray(v.numpy()) for part, variables in parts for n, v in enumerate(variables)}
        grounds = enumerate(ground.to_arrays() for ground in self.grounds)
        return arrays | {f"ground{n}/{name}": part for n, parts in grounds for name, part in parts.items()}

    def from_arrays(self, arrays: dict[str, NDArray[Any]]) -> None:
        """Take over what `to_arrays` gave. Raises EngineError where it belongs to another net."""
        self.grounds = _grounds(arrays)
        for part, variables in self._parts().items():
            for number, variable in enumerate(variables):
                value = arrays.get(f"{part}/{number}")
                if value is None or tuple(value.shape) != tuple(variable.shape):
                    raise EngineError(_ANOTHERS)
                variable.assign(value)

    def _parts(self) -> dict[str, list[Any]]:
        return {"net": list(self._net.variables), "optimiser": list(self._optimiser.variables)}

    def _train_step(self, planes: Any, truth: Any, sure: Any, known: Any) -> Any:
        tf = self._tf
        with tf.GradientTape() as tape:
            drawn = self._net(planes, training=True)
            weight = sure * (OUTSIDE + (1 - OUTSIDE) * planes[..., 3:4])
            told = _told(tf, drawn, truth, weight)
            hidden = _hidden(tf, drawn, planes[..., 3:4])
            loss = tf.reduce_mean(known * told + (1 - known) * hidden)
        trained = self._net.trainable_variables
        self._optimiser.apply_gradients(zip(tape.gradient(loss, trained), trained, strict=True))
        return loss


def hull_plane(shape: Doubles) -> Floats:
    """1 on the face, forehead and all, 0 elsewhere, float32 (SIDE, SIDE)."""
    return np.asarray(hull_mask(shape, (SIDE, SIDE), extended=True), np.float32) / np.float32(255)


_PLANES = 8
_ANOTHERS = (
    "The saved occlusion mask was made by another Galloway. Remove occlusion.npz from the model's folder and train on: "
    "galloway train"
)


def _grounds(arrays: dict[str, NDArray[Any]]) -> tuple[Ground, ...]:
    """The grounds among saved arrays. Raises EngineError where there is none."""
    count = sum(name.startswith("ground") and name.endswith("/shape") for name in arrays)
    names = [field.name for field in fields(Ground)]
    try:
        parts = [{name: arrays[f"ground{n}/{name}"] for name in names} for n in range(count)]
    except KeyError:
        parts = []
    if not parts:
        raise EngineError(_ANOTHERS)
    return tuple(Ground.from_arrays(part) for part in parts)


def _told(tf: Any, drawn: Any, truth: Any, weight: Any) -> Any:
    """Cross entropy and what is missing from the overlap (soft IoU), per face."""
    crossed = tf.nn.sigmoid_cross_entropy_with_logits(truth, drawn) * weight
    found = tf.sigmoid(drawn)
    axes = (1, 2, 3)
    both = tf.reduce_sum(found * truth * weight, axes)
    either = tf.reduce_sum((found + truth - found * truth) * weight, axes)
    overlap = (both + 20) / (either + 20)
    return 2 * tf.reduce_sum(crossed, axes) / tf.maximum(tf.reduce_sum(weight, axes), 1.0) + (1 - overlap)


def _hidden(tf: Any, drawn: Any, hull: Any) -> Any:
    """Of a face of which only that it is covered is known: its likeliest pixels should be."""
    flat = tf.reshape(drawn - 20 * (1 - hull), (-1, SIDE * SIDE))
    likeliest, _ = tf.math.top_k(flat, round(_MOST * SIDE * SIDE), sorted=False)
    # Little: of what people call covered, much is covered beside the face only.
    return 0.05 * tf.reduce_mean(tf.nn.softplus(-likeliest), axis=1)


def _net(keras: Any, tf: Any) -> Any:
    layers = keras.layers
    picture = layers.Input((SIDE, SIDE, _PLANES))

    def block(x: Any, width: int, **how: Any) -> Any:
        x = layers.Conv2D(width, 3, padding="same", use_bias=False, **how)(x)
        return layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization(momentum=0.9)(x))

    large, middle, small = _WIDTHS
    half = block(layers.Lambda(lambda x: tf.nn.space_to_depth(x, 2))(picture), large)
    quarter = block(block(half, middle, strides=2), middle)
    x = block(block(quarter, small, strides=2), small)
    for far in (2, 4):
        x = block(x, small, dilation_rate=far)
    for width, other in ((middle, quarter), (24, half)):
        x = block(layers.Concatenate()([layers.UpSampling2D(interpolation="bilinear")(x), other]), width)
    x = layers.Lambda(lambda x: tf.nn.depth_to_space(x, 2))(block(x, 32))
    x = block(layers.Concatenate()([x, picture]), 8)
    return keras.Model(picture, layers.Conv2D(1, 3, padding="same")(x))
