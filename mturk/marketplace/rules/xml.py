"""Reading XML that others wrote, and text that may go into XML."""

from __future__ import annotations

import re
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as SafeTree

from ..errors import Refused

__all__ = ["LARGEST_BYTES", "child", "children", "clean", "parse", "refuse", "split_tag", "text_of"]

LARGEST_BYTES = 65_535
SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/"
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """`text` without the characters that XML 1.0 cannot hold: one pasted \\x0b would make a whole answer unreadable."""
    return _ILLEGAL.sub("", text)


def refuse(details: str, *, code: str = "AWS.MechanicalTurk.XMLParseError") -> Refused:
    """The refusal with the sentence that clients match on."""
    return Refused(
        "There was an error parsing the XML question or answer data in your request.  Please make sure the data is "
        f"well-formed and validates against the appropriate schema. Details: {details}",
        code,
    )


def parse(text: str, what: str) -> Element:
    """The root element. Raises Refused (XMLParseError) for anything that is not plain, small XML."""
    if len(text.encode("utf-8")) > LARGEST_BYTES:
        raise Refused(f"The {what} is larger than {LARGEST_BYTES} bytes.", "AWS.MechanicalTurk.InvalidParameterValue")
    try:
        # As text: what the declaration says of an encoding was true of the requester's file, not of what arrived.
        root: Element = SafeTree.fromstring(text, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise refuse(f"{what}: {error}") from error
    return root


def split_tag(element: Element) -> tuple[str, str]:
    """(namespace, local name) of an element."""
    tag = element.tag
    if tag.startswith("{"):
        namespace, _, name = tag[1:].partition("}")
        return namespace, name
    return "", tag


def children(element: Element, name: str) -> list[Element]:
    """Child elements of this local name in the parent's namespace."""
    namespace, _ = split_tag(element)
    tag = f"{{{namespace}}}{name}" if namespace else name
    return element.findall(tag)


def child(element: Element, name: str) -> Element | None:
    """The first child of this local name, or None."""
    found = children(element, name)
    return found[0] if found else None


def text_of(element: Element | None, default: str = "") -> str:
    """An element's own text."""
    return default if element is None or element.text is None else element.text
