"""Free the fixed picture size of an ONNX model by rewriting its declared inputs and outputs.

CenterFace's file declares its input as (10, 3, 32, 32), which onnxruntime takes at its word, and lists its weights
among the inputs, which keeps onnxruntime from folding them. Rewriting those two lists is all that is needed, so the
wire format is read directly (`curation.onnx`) instead of depending on the `onnx` package.
Field numbers: onnx.proto3 of ONNX 1.x, messages ModelProto, GraphProto, ValueInfoProto, TypeProto.
"""

from __future__ import annotations

from ....curation.onnx import BYTES, NAME, field, fields, value_info, varint

__all__ = ["free_shapes"]

_MODEL_GRAPH = 7
_GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO = 11, 12, 13


def free_shapes(model: bytes, *, channels: int = 3) -> bytes:
    """`model` whose single picture input takes any (1, channels, height, width) and whose outputs follow.

    Raises ValueError where the bytes are not an ONNX model.
    """
    out = bytearray()
    found = False
    for tag, wire, value in fields(model):
        if tag == _MODEL_GRAPH and wire == BYTES:
            out += field(tag, _free_graph(value, channels))
            found = True
        else:
            out += _raw(tag, wire, value)
    if not found:
        raise ValueError("not an ONNX model: it holds no graph")
    return bytes(out)


def _free_graph(graph: bytes, channels: int) -> bytes:
    out = bytearray()
    input_written = False
    for tag, wire, value in fields(graph):
        if tag == _GRAPH_INPUT:
            # The first input is the picture; the others are weights, which the graph also holds as initializers.
            if not input_written:
                out += field(tag, value_info(_name(value), (1, channels, "height", "width")))
                input_written = True
        elif tag == _GRAPH_OUTPUT:
            name = _name(value)
            free = tuple(f"{name.decode()}_{axis}" for axis in range(4))
            out += field(tag, value_info(name, free))
        elif tag != _GRAPH_VALUE_INFO:
            out += _raw(tag, wire, value)
    return bytes(out)


def _name(value_info: bytes) -> bytes:
    for tag, _, value in fields(value_info):
        if tag == NAME:
            return value
    raise ValueError("not an ONNX model: an input or output has no name")


def _raw(tag: int, wire: int, value: bytes) -> bytes:
    """A field as it was read."""
    if wire == BYTES:
        return field(tag, value)
    return varint(tag << 3 | wire) + value
