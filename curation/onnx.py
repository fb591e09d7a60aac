"""ONNX files as what they are: protobuf messages of fields, each a tag, a length and bytes.

Reading and writing a few fields here spares the `onnx` package and protobuf itself. Field numbers: onnx.proto3 of
ONNX 1.x.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

__all__ = ["BYTES", "FLOAT", "NAME", "VARINT", "field", "fields", "number", "value_info", "varint"]

VARINT, _FIXED64, BYTES, _FIXED32 = 0, 1, 2, 5
FLOAT = 1
"""TensorProto's number of float32."""
NAME = 1
"""ValueInfoProto's field of the name."""


def fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(field number, wire type, value) of a message; a varint's value is its raw bytes.

    Raises ValueError where the bytes are no such message.
    """
    at, end = 0, len(message)
    while at < end:
        tag, at = _read_varint(message, at)
        wire = tag & 7
        if wire == VARINT:
            start = at
            _, at = _read_varint(message, at)
            yield tag >> 3, wire, message[start:at]
            continue
        if wire == BYTES:
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


def varint(value: int) -> bytes:
    """A whole number, not negative, as protobuf writes it."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(at: int, value: bytes | str) -> bytes:
    """A field of bytes: text, or a message in a message."""
    data = value.encode() if isinstance(value, str) else value
    return varint(at << 3 | BYTES) + varint(len(data)) + data


def number(at: int, value: int) -> bytes:
    """A field that is a whole number."""
    return varint(at << 3 | VARINT) + varint(value)


def value_info(name: bytes | str, dimensions: Sequence[int | str]) -> bytes:
    """A float input or output with its shape, as ValueInfoProto; a dimension with a name is free."""
    shape = bytearray()
    for dimension in dimensions:
        shape += field(1, number(1, dimension) if isinstance(dimension, int) else field(2, dimension))
    return field(NAME, name) + field(2, field(1, number(1, FLOAT) + field(2, bytes(shape))))
