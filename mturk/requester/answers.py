"""Answer XML → plain dict. Nothing else parses answer XML."""

from __future__ import annotations

import re
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
    return {name: "|".join(found) for name, found in values.items()}


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
