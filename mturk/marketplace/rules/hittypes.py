"""The seven attributes that make a HIT type, in a normal form: equal types have equal hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import Refused
from . import money
from .qualifications import normal_requirements

__all__ = ["HitTypeSpec", "check_range", "check_text", "hit_type_spec"]

MONTH = 2_592_000
YEAR = 31_536_000


def check_text(name: str, value: str, most: int) -> str:
    """`value`, if it fits. Raises Refused (InvalidParameterValue)."""
    if len(value) > most:
        raise Refused(
            f"{name} is {len(value)} characters long; at most {most} are allowed.",
            "AWS.MechanicalTurk.InvalidParameterValue",
        )
    return value


def check_range(name: str, value: int, least: int, most: int) -> int:
    """`value`, if it is in the range. Raises Refused (AWS.ParameterOutOfRange)."""
    if not least <= value <= most:
        raise Refused(f"{name} must be between {least} and {most}, not {value}.", "AWS.ParameterOutOfRange")
    return value


@dataclass(frozen=True, slots=True)
class HitTypeSpec:
    """A HIT type's attributes, checked."""

    title: str
    description: str
    keywords: str
    reward_cents: int
    duration_s: int
    auto_approval_s: int
    requirements: tuple[Mapping[str, Any], ...]

    @property
    def key_hash(self) -> str:
        """Equal for equal types, however the reward was written and in whatever order the requirements came."""
        requirements = sorted(json.dumps(item, sort_keys=True) for item in self.requirements)
        key = [self.title, self.description, self.keywords, self.reward_cents, self.duration_s]
        return hashlib.sha256(json.dumps([*key, self.auto_approval_s, requirements]).encode()).hexdigest()

    def work_kind(self, requester_id: str) -> str:
        """Equal for types of one requester that are the same work to whoever does it, however many batches they come
        in: keywords and what happens after the answer may differ. 32 hexadecimal digits of a SHA-256.

        The list of work puts thousands of types together at each look: by one short stored text, not by six columns.
        """
        requirements = sorted(json.dumps(item, sort_keys=True) for item in self.requirements)
        alike = [requester_id, self.title, self.description, self.reward_cents, self.duration_s, requirements]
        return hashlib.sha256(json.dumps(alike).encode()).hexdigest()[:32]


def amount(name: str, text: str) -> int:
    """Cents of a CurrencyAmount. Raises Refused."""
    try:
        return money.parse_amount(text)
    except ValueError as error:
        raise Refused(f"{name}: {error}", "AWS.ParameterOutOfRange") from error


def hit_type_spec(params: Mapping[str, Any]) -> HitTypeSpec:
    """The attributes in a CreateHIT or CreateHITType request. Raises Refused."""
    title, description = params["Title"], params["Description"]
    for name, value in (("Title", title), ("Description", description)):
        if not value.strip():
            raise Refused(f"{name} must not be empty.", "AWS.MechanicalTurk.InvalidParameterValue")
    return HitTypeSpec(
        check_text("Title", title, 128),
        check_text("Description", description, 2000),
        check_text("Keywords", params.get("Keywords", ""), 1000),
        amount("Reward", params["Reward"]),
        check_range("AssignmentDurationInSeconds", params["AssignmentDurationInSeconds"], 30, YEAR),
        check_range("AutoApprovalDelayInSeconds", params.get("AutoApprovalDelayInSeconds", MONTH), 0, MONTH),
        tuple(normal_requirements(params.get("QualificationRequirements", ()))),
    )
