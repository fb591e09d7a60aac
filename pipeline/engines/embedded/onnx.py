"""Free the fixed picture size of an ONNX model by rewriting its declared inputs and outputs.

CenterFace's file declares its input as (10, 3, 32, 32), which onnxruntime takes at its word, and lists its weights
among the inputs, which keeps onnxruntime from folding them. Rewriting those two lists is all that is needed, so the
wire format (protobuf: tag, length, bytes) is read here directly instead of depending on the `onnx` package.
Field numbers: onnx.proto3 of ONNX 1.x, messages ModelProto, GraphProto, ValueInfoProto, TypeProto.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["free_shapes"]

_MODEL_GRAPH = 7
_GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_VALUE_INFO = 11, 12, 13
_NAME = 1
_FLOAT = 1
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def free_shapes(model: bytes, *, channels: int = 3) -> bytes:
    """`model` whose single picture input takes any (1, channels, height, width) and whose outputs follow.

    Raises ValueError where the bytes are not an ONNX model.
    """
    out = bytearray()
    found = False
    for number, wire, value in _fields(model):
        if number == _MODEL_GRAPH and wire == _BYTES:
            out += _field(number, _free_graph(value, channels))
            found = True
        else:
            out += _raw(number, wire, value)
    if not found:
        raise ValueError("not an ONNX model: it holds no graph")
    return bytes(out)


def _free_graph(graph: bytes, channels: int) -> bytes:
    out = bytearray()
    input_written = False
    for number, wire, value in _fields(graph):
        if number == _GRAPH_INPUT:
            # The first input is the picture; the others are weights, which the graph also holds as initializers.
            if not input_written:
                out += _field(number, _value_info(_name(value), (1, channels, "height", "width")))
                input_written = True
        elif number == _GRAPH_OUTPUT:
            name = _name(value)
            free = tuple(f"{name.decode()}_{axis}" for axis in range(4))
            out += _field(number, _value_info(name, free))
        elif number != _GRAPH_VALUE_INFO:
            out += _raw(number, wire, value)
    return bytes(out)


def _name(value_info: bytes) -> bytes:
    for number, _, value in _fields(value_info):
        if number == _NAME:
            return value
    raise ValueError("not an ONNX model: an input or output has no name")


def _value_info(name: bytes, dimensions: Sequence[int | str]) -> bytes:
    shape = bytearray()
    for dimension in dimensions:
        if isinstance(dimension, int):
            shape += _field(1, _varint(1 << 3 | _VARINT) + _varint(dimension))
        else:
            shape += _field(1, _field(2, dimension.encode()))
    tensor = _varint(1 << 3 | _VARINT) + _varint(_FLOAT) + _field(2, bytes(shape))
    return _field(_NAME, name) + _field(2, _field(1, tensor))


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(field number, wire type, value) of a message; a varint's value is its raw bytes."""
    at, end = 0, len(message)
    while at < end:
        tag, at = _read_varint(message, at)
        wire = tag & 7
        if wire == _VARINT:
            start = at
            _, at = _read_varint(message, at)
            yield tag >> 3, wire, message[start:at]
            continue
        if wire == _BYTES:
            length, at = _read_varint(message, at)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ValueError(f"not an ONNX model: wire type {wire}")
        if at + length > end:
            raise ValueError("not an ONNX model: it is cut off")
        yield tag >> 3, wire, message[at : at + length]
        at += length


def _read_varint(message: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7
    raise ValueError("not an ONNX model: a number is cut off")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(number: int, value: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(value)) + value


def _raw(number: int, wire: int, value: bytes) -> bytes:
    """A field as it was read."""
    if wire == _BYTES:
        return _field(number, value)
    return _varint(number << 3 | wire) + value
