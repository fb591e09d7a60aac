"""Who may see, preview and accept: qualification requirements and the system qualifications."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..errors import Refused
from .places import country_refusal

__all__ = [
    "ADULT",
    "APPROVED",
    "LOCALE",
    "MASTERS",
    "PERCENT_APPROVED",
    "SYSTEM_TYPES",
    "Held",
    "Requirement",
    "describe",
    "guards",
    "meets",
    "normal_requirements",
    "system_values",
]

LOCALE = "00000000000000000071"
ADULT = "00000000000000000060"
APPROVED = "00000000000000000040"
PERCENT_APPROVED = "000000000000000000L0"
MASTERS = (
    "2ARFPLSP75KLA8M8DH1HTEQVJT3SY6",  # sandbox
    "2F1QJWKUDD8XADTFD2Q0G6UTO95ALH",  # production
    "2F1KVCNHMVHV8E9PBUB2A4J79LU20F",  # categorization masters, retired
    "2TGBB6BFMFFOM08IBMAFGGESC1UWJX",  # photo moderation masters, retired
)
SYSTEM_TYPES: dict[str, tuple[str, str]] = {
    LOCALE: ("Worker_Locale", "The location of the worker, as given when joining."),
    ADULT: ("Worker_Adult", "1 for workers who agreed to see adult content, else 0."),
    APPROVED: ("Worker_NumberHITsApproved", "How many of the worker's submitted assignments were approved."),
    PERCENT_APPROVED: (
        "Worker_PercentAssignmentsApproved",
        "Approved share of the worker's submitted assignments, in percent; 100 below 100 submitted ones.",
    ),
    **dict.fromkeys(MASTERS, ("Masters", "Workers whom the operator has marked as masters.")),
}
"""id → (name, description) of the qualifications that belong to the marketplace."""

ACTIONS = ("Accept", "PreviewAndAccept", "DiscoverPreviewAndAccept")
_ORDER = {"LessThan", "LessThanOrEqualTo", "GreaterThan", "GreaterThanOrEqualTo"}
_EQUAL = {"EqualTo", "NotEqualTo"}
_SETS = {"In", "NotIn"}
_PRESENCE = {"Exists", "DoesNotExist"}
Action = Literal["Accept", "Preview", "Discover"]


@dataclass(frozen=True, slots=True)
class Held:
    """A worker's granted qualification: a number, or a place for the locale ("US", or "US-CA")."""

    value: int
    country: str = ""
    subdivision: str = ""


GONE = Held(0)
"""Stands for every worker's qualification of a type that was deleted: it meets nothing, not even DoesNotExist."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One requirement of a HIT type. `locales` are (country, subdivision or "")."""

    type_id: str
    comparator: str
    integers: tuple[int, ...] = ()
    locales: tuple[tuple[str, str], ...] = ()
    actions: str = "Accept"

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Requirement:
        """From the normal form that is stored and sent."""
        return cls(
            given["QualificationTypeId"],
            given["Comparator"],
            tuple(given.get("IntegerValues", ())),
            tuple((place["Country"], place.get("Subdivision", "")) for place in given.get("LocaleValues", ())),
            given.get("ActionsGuarded", "Accept"),
        )


def _wrong(message: str) -> Refused:
    return Refused(message, "AWS.MechanicalTurk.InvalidParameterValue")


def normal_requirements(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The requirements checked and with defaults filled in, as MTurk echoes them.

    Raises Refused for too many, for values that do not fit their comparator, and for ActionsGuarded with
    RequiredToPreview.
    """
    if len(given) > 10:
        raise _wrong(f"A HIT may have at most 10 QualificationRequirements, not {len(given)}.")
    normal = [_normal(item) for item in given]
    seen = [item["QualificationTypeId"] for item in normal]
    if len(set(seen)) != len(seen) and any(name != LOCALE and seen.count(name) > 2 for name in seen):
        raise _wrong("A QualificationTypeId may be used at most twice in QualificationRequirements.")
    return normal


def _normal(item: Mapping[str, Any]) -> dict[str, Any]:
    if item.get("ActionsGuarded") is not None and item.get("RequiredToPreview") is not None:
        raise _wrong(
            "The combination of parameters supplied to the request is invalid: ActionsGuarded, RequiredToPreview."
        )
    actions = item.get("ActionsGuarded") or ("PreviewAndAccept" if item.get("RequiredToPreview") else "Accept")
    result: dict[str, Any] = {
        "QualificationTypeId": item["QualificationTypeId"],
        "Comparator": item["Comparator"],
    }
    integers, locales = list(item.get("IntegerValues") or ()), list(item.get("LocaleValues") or ())
    _check_values(item["QualificationTypeId"], item["Comparator"], integers, locales)
    if integers:
        result["IntegerValues"] = integers
    for place in locales:
        if refusal := country_refusal(place["Country"]):
            raise _wrong(refusal)
    if locales:
        result["LocaleValues"] = [
            {name: place[name] for name in ("Country", "Subdivision") if place.get(name)} for place in locales
        ]
    result["RequiredToPreview"] = actions != "Accept"
    result["ActionsGuarded"] = actions
    return result


def _check_values(type_id: str, comparator: str, integers: list[int], locales: list[Any]) -> None:
    count = (len(integers), len(locales))
    if comparator in _PRESENCE:
        fits = count == (0, 0)
    elif comparator in _ORDER:
        fits = count == (1, 0)
    elif comparator in _EQUAL:
        fits = count in ((1, 0), (0, 1))
    else:
        fits = (0 < count[0] <= 15 and not count[1]) or (0 < count[1] <= 30 and not count[0])
    if fits and comparator not in _PRESENCE:
        fits = bool(locales) == (type_id == LOCALE)
    if not fits:
        raise _wrong(
            f"The values of the QualificationRequirement on {type_id} do not fit its Comparator {comparator}: "
            f"{count[0]} IntegerValues and {count[1]} LocaleValues were given."
        )


def guards(requirement: Requirement, action: Action) -> bool:
    """True where the requirement must hold for the action."""
    level = ACTIONS.index(requirement.actions)
    return level >= {"Accept": 0, "Preview": 1, "Discover": 2}[action]


def _matches(held: Held, requirement: Requirement) -> bool:
    if requirement.locales:
        return any(
            held.country == country and (not subdivision or held.subdivision == subdivision)
            for country, subdivision in requirement.locales
        )
    return held.value in requirement.integers


def meets(held: Held | None, requirement: Requirement) -> bool:
    """True where the worker's qualification (None: not granted) satisfies the requirement.

    Without a qualification every comparator but DoesNotExist is false: for NotEqualTo and NotIn this is remembered, not
    documented.
    """
    comparator = requirement.comparator
    if held is GONE:
        return False
    if comparator in _PRESENCE:
        return (held is not None) == (comparator == "Exists")
    if held is None:
        return False
    if comparator in _EQUAL | _SETS:
        return _matches(held, requirement) == (comparator in ("EqualTo", "In"))
    limit = requirement.integers[0]
    return {
        "LessThan": held.value < limit,
        "LessThanOrEqualTo": held.value <= limit,
        "GreaterThan": held.value > limit,
        "GreaterThanOrEqualTo": held.value >= limit,
    }[comparator]


def describe(requirement: Requirement) -> str:
    """The requirement in words for a worker: "at least 80"."""
    places = [f"{country}-{subdivision}" if subdivision else country for country, subdivision in requirement.locales]
    values = ", ".join(places or [str(value) for value in requirement.integers])
    return {
        "LessThan": f"below {values}",
        "LessThanOrEqualTo": f"at most {values}",
        "GreaterThan": f"above {values}",
        "GreaterThanOrEqualTo": f"at least {values}",
        "EqualTo": f"exactly {values}",
        "NotEqualTo": f"not {values}",
        "In": f"one of {values}",
        "NotIn": f"none of {values}",
        "Exists": "held",
        "DoesNotExist": "not held",
    }[requirement.comparator]


def system_values(
    *, country: str, subdivision: str, masters: bool, adult: bool, submitted: int, approved: int, rejected: int
) -> dict[str, Held]:
    """The system qualifications of a worker with these facts. `submitted` counts everything ever submitted."""
    decided = approved + rejected
    percent = 100 if submitted < 100 or decided == 0 else (100 * approved) // decided
    values = {APPROVED: Held(approved), PERCENT_APPROVED: Held(percent), ADULT: Held(int(adult))}
    if country:
        values[LOCALE] = Held(0, country, subdivision)
    if masters:
        values.update({name: Held(1) for name in MASTERS})
    return values
