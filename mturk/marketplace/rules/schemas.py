"""What AWS's data schemas allow in a question, a test and an answer key, asked of what is new.

What a schema does not know would be passed over when the question is read: half a sentence that no worker sees, a
misspelt IsRequired. Sources: QuestionForm.xsd and AnswerKey.xsd 2005-10-01 with what the data structure articles of
2017-11-06 added (FormattedContent in a Selection, AnswerFormatRegex), HTMLQuestion.xsd 2011-11-11,
ExternalQuestion.xsd 2006-07-14. The order of elements is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element

from . import xml

__all__ = ["check_schema"]

_CONTENT = "Title* Text* List* FormattedContent* Binary* Application* EmbeddedBinary*"
_FREE_TEXT = "Constraints DefaultText NumberOfLinesSuggestion"
_QUESTION_FORM = {
    "QuestionForm": "Overview* Question*",
    "Overview": _CONTENT,
    "Question": "QuestionIdentifier DisplayName IsRequired QuestionContent AnswerSpecification",
    "QuestionContent": _CONTENT,
    "List": "ListItem*",
    "Binary": "MimeType DataURL AltText",
    "MimeType": "Type SubType",
    "EmbeddedBinary": "EmbeddedMimeType DataURL AltText Width Height ApplicationParameter*",
    "EmbeddedMimeType": "Type SubType",
    "Application": "Flash JavaApplet",
    "Flash": "FlashMovieURL Width Height ApplicationParameter*",
    "JavaApplet": "AppletPath AppletFilename Width Height ApplicationParameter*",
    "ApplicationParameter": "Name Value",
    "AnswerSpecification": "FreeTextAnswer SelectionAnswer FileUploadAnswer",
    "FreeTextAnswer": _FREE_TEXT,
    "Constraints": "IsNumeric Length AnswerFormatRegex*",
    "SelectionAnswer": "MinSelectionCount MaxSelectionCount StyleSuggestion Selections",
    "Selections": "Selection* OtherSelection",
    "Selection": f"SelectionIdentifier {_CONTENT}",
    "OtherSelection": _FREE_TEXT,
    "FileUploadAnswer": "MaxFileSizeInBytes MinFileSizeInBytes",
}
_ANSWER_KEY = {
    "AnswerKey": "Question* QualificationValueMapping",
    "Question": "QuestionIdentifier AnswerOption* DefaultScore",
    "AnswerOption": "SelectionIdentifier* AnswerScore",
    "QualificationValueMapping": "PercentageMapping ScaleMapping RangeMapping",
    "PercentageMapping": "MaximumSummedScore",
    "ScaleMapping": "SummedScoreMultiplier",
    "RangeMapping": "SummedScoreRange* OutOfRangeQualificationValue",
    "SummedScoreRange": "InclusiveLowerBound InclusiveUpperBound QualificationValue",
}
_SCHEMAS: Mapping[str, Mapping[str, str]] = {
    "QuestionForm": _QUESTION_FORM,
    "AnswerKey": _ANSWER_KEY,
    "HTMLQuestion": {"HTMLQuestion": "HTMLContent FrameHeight"},
    "ExternalQuestion": {"ExternalQuestion": "ExternalURL FrameHeight"},
}
"""By root: what each element may hold, with "*" what may come more than once. One without an entry holds text."""
_MARKUP = {"FormattedContent"}
"""Holds XHTML: AWS wants it in a CDATA section, and it is shown without one, too."""
_ATTRIBUTES = {
    "IsNumeric": {"minValue", "maxValue"},
    "Length": {"minLength", "maxLength"},
    "AnswerFormatRegex": {"regex", "errorText", "flags"},
}
_VALUES = {
    "IsRequired": ("true|false|1|0", "true or false"),
    "StyleSuggestion": (
        "radiobutton|checkbox|list|dropdown|combobox|multichooser",
        "radiobutton, checkbox, list, dropdown, combobox or multichooser",
    ),
    "MinSelectionCount": ("[0-9]+", "a whole number from 0"),
    "MaxSelectionCount": ("0*[1-9][0-9]*", "a whole number from 1"),
}


def check_schema(root: Element) -> None:
    """Raises Refused (XMLParseError) for what would be passed over: elements and attributes that the schema of this
    root does not know, or knows once; text where elements belong, and elements where text does. A root that no schema
    has is for others to refuse."""
    namespace, name = xml.split_tag(root)
    if name in _SCHEMAS:
        _check(root, namespace, _SCHEMAS[name])


def _check(element: Element, namespace: str, schema: Mapping[str, str]) -> None:
    _, name = xml.split_tag(element)
    strange = sorted(given for given in element.attrib if not given.startswith("{"))
    if unknown := [given for given in strange if given not in _ATTRIBUTES.get(name, ())]:
        raise xml.refuse(f"{name} has no attribute {unknown[0][:60]!r}.")
    if name in _MARKUP:
        return
    if name not in schema:
        _check_text(element, name)
        return
    allowed = schema[name].split()
    seen: set[str] = set()
    if (element.text or "").strip():
        raise xml.refuse(f"{name} holds elements and no text: {_short(element.text)}.")
    for part in element:
        space, inner = xml.split_tag(part)
        if space != namespace or (inner not in allowed and f"{inner}*" not in allowed):
            raise xml.refuse(f"{name} cannot hold {inner[:60]}.")
        if inner in allowed and inner in seen:
            raise xml.refuse(f"{name} holds more than one {inner}.")
        if (part.tail or "").strip():
            raise xml.refuse(f"{name} holds elements and no text: {_short(part.tail)}.")
        seen.add(inner)
        _check(part, namespace, schema)


def _check_text(element: Element, name: str) -> None:
    if len(element):
        inner = xml.split_tag(element[0])[1]
        where = "" if name == "HTMLContent" else " of FormattedContent"
        raise xml.refuse(f"{name} holds text only, not <{inner[:60]}>. Put HTML into a CDATA section{where}.")
    pattern, words = _VALUES.get(name, ("", ""))
    if pattern and not re.fullmatch(pattern, (element.text or "").strip(), re.ASCII):
        raise xml.refuse(f"{name} must be {words}, not {_short(element.text)}.")


def _short(text: str | None) -> str:
    return repr((text or "").strip()[:60])
