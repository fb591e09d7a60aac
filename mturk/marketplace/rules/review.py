"""Review policies: ScoreMyKnownAnswers/2011-09-01 at submission, SimplePlurality/2011-09-01 when a HIT is reviewable.

Scores are whole percent, truncated, as in AWS's worked example (2 of 3 is 66).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import Refused

__all__ = [
    "Extension",
    "KnownAnswers",
    "Plurality",
    "PluralityResult",
    "parse_assignment_policy",
    "parse_hit_policy",
    "plurality",
    "score_known",
]

Answers = Mapping[str, tuple[str, ...]]
_LONGEST = 256
"""Longer answers are left out of plurality, as documented."""
_YEAR = 31_536_000
_YES, _NO = ("true", "1", "yes"), ("false", "0", "no", "")


@dataclass(frozen=True, slots=True)
class Extension:
    """Ask one more worker while the score is below `below`, up to `places` in all, with `seconds` left at least."""

    below: int
    places: int = 5
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class KnownAnswers:
    """ScoreMyKnownAnswers. `key` maps question ids to the set of values that is right."""

    key: Mapping[str, frozenset[str]]
    approve_from: int | None = None
    approve_reason: str = ""
    reject_below: int | None = None
    reject_reason: str = ""
    extension: Extension | None = None


@dataclass(frozen=True, slots=True)
class Plurality:
    """SimplePlurality. A question is agreed when its share is at least `threshold`: AWS's text says "greater than", but
    its samples use 100, which would never be reached."""

    questions: tuple[str, ...]
    threshold: int
    drop_rejected: bool = False
    drop_known_below: int | None = None
    approve_from: int | None = None
    approve_reason: str = ""
    reject_below: int | None = None
    reject_reason: str = ""
    extension: Extension | None = None


@dataclass(frozen=True, slots=True)
class PluralityResult:
    """`questions`: id → (agreed answer or None, agreement); `workers`: subject → agreement (None: nothing agreed)."""

    hit_score: int
    questions: Mapping[str, tuple[str | None, int]]
    workers: Mapping[str, int | None]


def _wrong(message: str) -> Refused:
    return Refused(message, "AWS.MechanicalTurk.InvalidParameterValue")


class _Parameters:
    """A policy's parameters by name, each read at most once; what is left over is refused."""

    def __init__(self, policy: Mapping[str, Any]) -> None:
        self.name = policy["PolicyName"]
        self.left: dict[str, Mapping[str, Any]] = {}
        for item in policy.get("Parameters") or ():
            key = item.get("Key", "")
            if key in self.left:
                raise _wrong(f"{self.name}: the parameter {key[:60]} is given twice.")
            self.left[key] = item

    def values(self, *names: str) -> list[str] | None:
        for name in names:
            if name in self.left:
                return [str(value) for value in self.left.pop(name).get("Values") or ()]
        return None

    def text(self, name: str) -> str:
        return " ".join(self.values(name) or ())

    def flag(self, name: str, *, strict: bool) -> bool:
        value = self.text(name).strip().lower()
        if strict and value not in {*_YES, *_NO}:
            raise _wrong(f"{self.name}: {name} must be true or false, not {value[:60]!r}.")
        return value in _YES

    def integer(self, name: str, least: int, most: int) -> int | None:
        values = self.values(name)
        if values is None:
            return None
        if len(values) != 1 or not values[0].strip().isascii() or not values[0].strip().isdigit():
            raise _wrong(f"{self.name}: {name} must be one whole number.")
        number = int(values[0].strip()[:12])
        if not least <= number <= most:
            raise _wrong(f"{self.name}: {name} must be between {least} and {most}, not {number}.")
        return number

    def extension(self, name: str, least: int, most: int) -> Extension | None:
        below = self.integer(name, least, most)
        places = self.integer("ExtendMaximumAssignments", 2, 25)
        seconds = self.integer("ExtendMinimumTimeInSeconds", 60, _YEAR)
        return None if below is None else Extension(below, places or 5, seconds or 0)

    def done(self) -> None:
        if self.left:
            raise _wrong(f"{self.name} has no parameter {sorted(self.left)[0][:60]!r}.")


def parse_assignment_policy(policy: Mapping[str, Any]) -> KnownAnswers:
    """The assignment-level policy. Raises Refused (InvalidParameterValue)."""
    parameters = _Parameters(policy)
    if parameters.name != "ScoreMyKnownAnswers/2011-09-01":
        raise _wrong(f"{parameters.name[:100]} is no assignment-level policy; ScoreMyKnownAnswers/2011-09-01 is.")
    entries = parameters.left.pop("AnswerKey", {}).get("MapEntries") or ()
    key = {entry.get("Key", ""): _known(entry.get("Values") or ()) for entry in entries}
    if not key or "" in key or not all(key.values()):
        raise _wrong(f"{parameters.name}: AnswerKey needs MapEntries, each with a Key and Values.")
    result = KnownAnswers(
        key,
        parameters.integer("ApproveIfKnownAnswerScoreIsAtLeast", 0, 101),
        parameters.text("ApproveReason"),
        parameters.integer("RejectIfKnownAnswerScoreIsLessThan", 0, 101),
        parameters.text("RejectReason"),
        parameters.extension("ExtendIfKnownAnswerScoreIsLessThan", 0, 101),
    )
    parameters.done()
    return result


def parse_hit_policy(policy: Mapping[str, Any], *, new: bool = False) -> Plurality:
    """The HIT-level policy. Raises Refused (InvalidParameterValue); where it is `new`, also for a flag that says
    neither yes nor no: stored ones may have it, and it means no."""
    parameters = _Parameters(policy)
    if parameters.name != "SimplePlurality/2011-09-01":
        raise _wrong(f"{parameters.name[:100]} is no HIT-level policy; SimplePlurality/2011-09-01 is.")
    # The documentation spells QuestionIds, its sample QuestionIDs.
    questions = tuple(dict.fromkeys(parameters.values("QuestionIds", "QuestionIDs") or ()))
    if not 1 <= len(questions) <= 15:
        raise _wrong(f"{parameters.name}: QuestionIds must name 1 to 15 questions.")
    threshold = parameters.integer("QuestionAgreementThreshold", 0, 100)
    if threshold is None:
        raise _wrong(f"{parameters.name}: QuestionAgreementThreshold is missing.")
    result = Plurality(
        questions,
        threshold,
        parameters.flag("DisregardAssignmentIfRejected", strict=new),
        parameters.integer("DisregardAssignmentIfKnownAnswerScoreIsLessThan", 0, 101),
        parameters.integer("ApproveIfWorkerAgreementScoreIsAtLeast", 0, 101),
        parameters.text("ApproveReason"),
        parameters.integer("RejectIfWorkerAgreementScoreIsLessThan", 0, 101),
        parameters.text("RejectReason"),
        parameters.extension("ExtendIfHITAgreementScoreIsLessThan", 1, 100),
    )
    parameters.done()
    return result


def _known(values: Sequence[str]) -> frozenset[str]:
    return frozenset(value.strip() for value in values)


def _readings(values: Sequence[str]) -> tuple[frozenset[str], ...]:
    """What the values may mean: a page's field that came more than once is one text, joined with "|"."""
    apart = values[0].split("|") if len(values) == 1 else values
    return _known(values), _known(apart)


def score_known(policy: KnownAnswers, answers: Answers) -> tuple[int, dict[str, bool]]:
    """(percent of known questions that are right, right or wrong by question). Case counts, outer blanks do not."""
    right = {question: wanted in _readings(answers.get(question, ())) for question, wanted in policy.key.items()}
    return 100 * sum(right.values()) // len(right), right


def _value(answers: Answers, question: str) -> str | None:
    values = [value.strip() for value in answers.get(question, ())]
    joined = "|".join(sorted(values))
    return joined if joined and len(joined) <= _LONGEST else None


def plurality(policy: Plurality, answers: Mapping[str, Answers]) -> PluralityResult:
    """Agreement among the answers, by subject (assignment id).

    QuestionAgreement is the share of subjects with the most frequent value; two equally frequent ones agree on nothing.
    HITAgreement is the share of questions that are agreed; WorkerAgreement the share of agreed questions on which the
    subject gave the agreed value.
    """
    questions: dict[str, tuple[str | None, int]] = {}
    for question in policy.questions:
        values = [value for given in answers.values() if (value := _value(given, question)) is not None]
        ranked = Counter(values).most_common(2)
        share = 100 * ranked[0][1] // len(answers) if ranked else 0
        tied = len(ranked) == 2 and ranked[0][1] == ranked[1][1]
        agreed = bool(ranked) and not tied and share >= policy.threshold
        questions[question] = (ranked[0][0] if agreed else None, share)
    settled = {question: value for question, (value, _) in questions.items() if value is not None}
    workers = {
        subject: 100 * sum(_value(given, name) == value for name, value in settled.items()) // len(settled)
        if settled
        else None
        for subject, given in answers.items()
    }
    return PluralityResult(100 * len(settled) // len(policy.questions), questions, workers)
