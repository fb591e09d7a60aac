"""botocore's service model of `mturk`, the exact schema: what may be sent, and how answers are written."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from .errors import Refused

__all__ = ["TARGET", "check_input", "service_model"]

TARGET = "MTurkRequesterServiceV20170117"
_INT32 = 2**31
_INT64 = 2**63
_LAST_SECOND = 253_402_300_799
"""The end of the year 9999."""


@cache
def service_model() -> Any:
    """botocore's ServiceModel for mturk 2017-01-17."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("mturk", "service-2"), "mturk")


def check_input(operation: str, value: Any) -> dict[str, Any]:
    """The parameters of a request, with nulls and unknown members left out and timestamps as milliseconds.

    Raises Refused: ValidationException in AWS's own words for what the model forbids, including everything that
    botocore lets through (enums, patterns, largest lengths and values).
    """
    shape = service_model().operation_model(operation).input_shape
    checked = _check(shape, value, "")
    assert isinstance(checked, dict)
    return checked


def _name(path: str) -> str:
    return path[:1].lower() + path[1:] if path else "request"


def _broken(value: Any, path: str, constraint: str, code: str = "AWS.ParameterOutOfRange") -> Refused:
    shown = "null" if value is None else f"'{str(value)[:100]}'"
    return Refused(
        f"1 validation error detected: Value {shown} at '{_name(path)}' failed to satisfy constraint: {constraint}",
        code,
        error_type="ValidationException",
    )


def _malformed(path: str, wanted: str) -> Refused:
    return Refused(f"'{_name(path)}' must be {wanted}.", error_type="SerializationException")


def _check(shape: Any, value: Any, path: str) -> Any:
    kind = shape.type_name
    if kind == "structure":
        return _structure(shape, value, path)
    if kind == "list":
        if not isinstance(value, list):
            raise _malformed(path, "a list")
        return [_check(shape.member, item, f"{path}.{index + 1}.member") for index, item in enumerate(value)]
    if kind == "boolean":
        if not isinstance(value, bool):
            raise _malformed(path, "true or false")
        return value
    if kind == "string":
        return _string(shape, value, path)
    if kind == "timestamp":
        return _timestamp(value, path)
    return _integer(shape, value, path)


def _structure(shape: Any, value: Any, path: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _malformed(path, "an object")
    result: dict[str, Any] = {}
    for name, member in shape.members.items():
        below = f"{path}.{name[:1].lower()}{name[1:]}" if path else name
        given = value.get(name)
        if given is not None:
            result[name] = _check(member, given, below)
        elif name in shape.required_members:
            raise _broken(None, below, "Member must not be null", "AWS.MissingParameters")
    return result


def _string(shape: Any, value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise _malformed(path, "a string")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise _malformed(path, "text without lone surrogates") from error
    if "\0" in value:
        raise _malformed(path, "text without NUL characters")
    rules = shape.metadata
    if "enum" in rules and value not in rules["enum"]:
        raise _broken(value, path, f"Member must satisfy enum value set: [{', '.join(rules['enum'])}]")
    if len(value) < rules.get("min", 0):
        raise _broken(value, path, f"Member must have length greater than or equal to {rules['min']}")
    if len(value) > rules.get("max", len(value)):
        raise _broken(value, path, f"Member must have length less than or equal to {rules['max']}")
    pattern = shape.metadata.get("pattern") or _PATTERNS.get(shape.name)
    if pattern and not re.fullmatch(pattern.removeprefix("^").removesuffix("$"), value, re.ASCII):
        if shape.name == "CustomerId":
            # The sentence that clients of the block operations look for.
            raise Refused(f"WorkerId is invalid. ({value[:80]})", "AWS.MechanicalTurk.InvalidParameterValue")
        raise _broken(value, path, f"Member must satisfy regular expression pattern: {pattern}")
    return value


# botocore keeps patterns out of Shape.metadata in some versions; these are the model's own.
_PATTERNS = {
    "EntityId": "^[A-Z0-9]+$",
    "CustomerId": "^A[A-Z0-9]+$",
    "CurrencyAmount": r"^[0-9]+(\.)?[0-9]{0,2}$",
}


def _integer(shape: Any, value: Any, path: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        if not (isinstance(value, float) and value.is_integer()):
            raise _malformed(path, "a whole number")
        value = int(value)
    bound = _INT64 if shape.type_name == "long" else _INT32
    if not -bound <= value < bound:
        raise _malformed(path, f"a number of {64 if bound == _INT64 else 32} bits")
    rules = shape.metadata
    if value < rules.get("min", value):
        raise _broken(value, path, f"Member must have value greater than or equal to {rules['min']}")
    if value > rules.get("max", value):
        raise _broken(value, path, f"Member must have value less than or equal to {rules['max']}")
    return int(value)


def _timestamp(value: Any, path: str) -> int:
    """Milliseconds of epoch seconds (what botocore sends) or of an ISO time."""
    if isinstance(value, str):
        try:
            parsed = datetime.fromisoformat(value.strip())
            value = (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError) as error:
            raise _malformed(path, "a time in seconds since 1970") from error
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise _malformed(path, "a time in seconds since 1970")
    if not -_LAST_SECOND <= value <= _LAST_SECOND:
        raise _malformed(path, "a time before the year 10000")
    return round(value * 1000)
