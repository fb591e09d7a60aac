"""Answer XML → plain dict. Nothing else parses answer XML."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml.common import DefusedXmlException

from .errors import BadAnswer

__all__ = ["MAX_ANSWER_BYTES", "parse_answer"]

MAX_ANSWER_BYTES = 4 * 1024 * 1024
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_VALUES = ("FreeText", "SelectionIdentifier", "OtherSelectionText", "UploadedFileKey")


def parse_answer(xml: str) -> dict[str, str]:
    """Question identifier → value, in the order of the document.

    Several values of one identifier are joined by `|`, as MTurk's result files did. Characters that XML forbids are
    dropped first: a worker may have pasted them. Raises BadAnswer for anything that is not QuestionFormAnswers.
    """
    if len(xml) > MAX_ANSWER_BYTES:
        raise BadAnswer(f"An answer of {len(xml):,} characters is over the limit of {MAX_ANSWER_BYTES:,}.")
    try:
        root = defusedxml.ElementTree.fromstring(_ILLEGAL.sub("", xml), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise BadAnswer(
            f"An answer is not readable XML ({error}). Look at it on the market and decide by hand."
        ) from error
    if _local(root) != "QuestionFormAnswers":
        raise BadAnswer(f"An answer is <{_local(root)}>, not <QuestionFormAnswers>.")
    values: dict[str, list[str]] = {}
    for answer in root:
        name, found = _answer(answer)
        if name is not None:
            values.setdefault(name, []).extend(found)
    joined = {name: "|".join(found) for name, found in values.items()}
    return {**_crowd_answers(joined.get("taskAnswers", "")), **joined}


def _crowd_answers(text: str) -> dict[str, str]:
    """The fields inside `taskAnswers`, the one answer of a page with crowd elements, as a plain form would send them.

    The label or labels of a classifier, what is ticked of boxes and buttons; what is no plain value stays JSON.
    """
    try:
        found = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return {}
    if not (isinstance(found, list) and len(found) == 1 and isinstance(found[0], dict)):
        return {}
    return {name: _plain(value) for name, value in found[0].items()}


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "|".join(value)
    if isinstance(value, dict) and value.keys() == {"label"}:
        return str(value["label"])
    if isinstance(value, dict) and value.keys() == {"labels"} and isinstance(value["labels"], list):
        return "|".join(map(str, value["labels"]))
    if isinstance(value, dict) and value and all(isinstance(ticked, bool) for ticked in value.values()):
        return "|".join(name for name, ticked in value.items() if ticked)
    return json.dumps(value, ensure_ascii=False)


def _answer(answer: Element) -> tuple[str | None, list[str]]:
    name: str | None = None
    found: list[str] = []
    for part in answer:
        if _local(part) == "QuestionIdentifier":
            name = (part.text or "").strip()
        elif _local(part) in _VALUES:
            found.append(part.text or "")
    return name or None, found


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
