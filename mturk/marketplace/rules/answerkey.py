"""AnswerKey: the score of a qualification test.

For each question the first AnswerOption whose set of SelectionIdentifiers equals the worker's set adds its AnswerScore,
else DefaultScore; the sum then goes through QualificationValueMapping (AWS data schema AnswerKey 2005-10-01).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from xml.etree.ElementTree import Element

from . import xml
from .questionform import QuestionForm, SelectionAnswer
from .schemas import check_schema

__all__ = ["AnswerKey", "KeyQuestion", "check_key", "parse_answer_key"]

_WHOLE = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class KeyQuestion:
    """One question: options in order, each (set of selections, score)."""

    identifier: str
    options: tuple[tuple[frozenset[str], int], ...]
    default: int = 0


@dataclass(frozen=True, slots=True)
class AnswerKey:
    """A parsed key. `ranges` are (lowest, highest, value), both ends inclusive."""

    questions: tuple[KeyQuestion, ...]
    percentage_of: int | None = None
    scale: Decimal | None = None
    ranges: tuple[tuple[int, int, int], ...] = ()
    out_of_range: int | None = None

    def score(self, answers: Mapping[str, tuple[str, ...]]) -> int:
        """The qualification value that these answers earn."""
        total = 0
        for question in self.questions:
            chosen = frozenset(answers.get(question.identifier, ()))
            total += next((points for key, points in question.options if key == chosen), question.default)
        return self._mapped(total)

    def _mapped(self, total: int) -> int:
        if self.percentage_of is not None:
            return _rounded(Decimal(100 * total) / self.percentage_of)
        if self.scale is not None:
            return _rounded(total * self.scale)
        if self.out_of_range is not None:
            return next((value for low, high, value in self.ranges if low <= total <= high), self.out_of_range)
        return total


def _rounded(value: Decimal) -> int:
    return int(value.to_integral_value(ROUND_HALF_UP))


def parse_answer_key(text: str, *, new: bool = False) -> AnswerKey:
    """The key in `text`. Raises Refused (XMLParseError); where it is `new`, also for what the schema does not know."""
    root = xml.parse(text, "AnswerKey")
    namespace, name = xml.split_tag(root)
    if name != "AnswerKey" or namespace != f"{xml.SCHEMAS}2005-10-01/AnswerKey.xsd":
        raise xml.refuse(f"cvc-elt.1: Cannot find the declaration of element '{root.tag[:160]}'.")
    if new:
        check_schema(root)
    questions = tuple(_question(element) for element in xml.children(root, "Question"))
    if not questions:
        raise xml.refuse("AnswerKey has no Question.")
    mapping = xml.child(root, "QualificationValueMapping")
    return AnswerKey(questions) if mapping is None else _with_mapping(questions, mapping)


def check_key(key: AnswerKey, form: QuestionForm) -> None:
    """Raises Refused where the key scores what the test does not ask: nobody could ever earn it."""
    questions = {question.identifier: question for question in form.questions}
    for wanted in key.questions:
        question = questions.get(wanted.identifier)
        if question is None:
            raise xml.refuse(f"AnswerKey: the Test has no question {wanted.identifier[:60]!r}.")
        if not isinstance(question.answer, SelectionAnswer):
            raise xml.refuse(f"AnswerKey: the question {wanted.identifier[:60]!r} has no selections to score.")
        known = {selection.identifier for selection in question.answer.selections}
        for names, _ in wanted.options:
            if unknown := sorted(names - known):
                raise xml.refuse(f"AnswerKey: {wanted.identifier[:60]!r} has no selection {unknown[0][:60]!r}.")


def _question(element: Element) -> KeyQuestion:
    options = []
    for option in xml.children(element, "AnswerOption"):
        names = frozenset(xml.text_of(item).strip() for item in xml.children(option, "SelectionIdentifier"))
        options.append((names, _whole(option, "AnswerScore")))
    default = xml.child(element, "DefaultScore")
    return KeyQuestion(
        xml.text_of(xml.child(element, "QuestionIdentifier")).strip(),
        tuple(options),
        0 if default is None else _whole(element, "DefaultScore"),
    )


def _with_mapping(questions: tuple[KeyQuestion, ...], mapping: Element) -> AnswerKey:
    percentage = xml.child(mapping, "PercentageMapping")
    if percentage is not None:
        most = _whole(percentage, "MaximumSummedScore")
        if most <= 0:
            raise xml.refuse("MaximumSummedScore must be above 0.")
        return AnswerKey(questions, percentage_of=most)
    scale = xml.child(mapping, "ScaleMapping")
    if scale is not None:
        text = xml.text_of(xml.child(scale, "SummedScoreMultiplier")).strip()
        try:
            factor = Decimal(text)
        except InvalidOperation as error:
            raise xml.refuse(f"SummedScoreMultiplier is no number: {text[:20]!r}.") from error
        if not factor.is_finite() or abs(factor) > 1_000_000:
            raise xml.refuse("SummedScoreMultiplier must be between -1000000 and 1000000.")
        return AnswerKey(questions, scale=factor)
    ranges = xml.child(mapping, "RangeMapping")
    if ranges is None:
        raise xml.refuse("QualificationValueMapping holds PercentageMapping, ScaleMapping or RangeMapping.")
    found = tuple(
        (
            _whole(item, "InclusiveLowerBound"),
            _whole(item, "InclusiveUpperBound"),
            _whole(item, "QualificationValue"),
        )
        for item in xml.children(ranges, "SummedScoreRange")
    )
    return AnswerKey(questions, ranges=found, out_of_range=_whole(ranges, "OutOfRangeQualificationValue"))


def _whole(parent: Element, name: str) -> int:
    text = xml.text_of(xml.child(parent, name)).strip()
    if not _WHOLE.fullmatch(text):
        raise xml.refuse(f"{name} must be a whole number, not {text[:20]!r}.")
    return int(text)
