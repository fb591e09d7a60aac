"""Rendered HIT pages → question XML, checked for size and for a form to submit."""

from __future__ import annotations

import hashlib
import re
from xml.sax.saxutils import escape

from .errors import MTurkError, QuestionTooLarge

__all__ = ["MAX_QUESTION_BYTES", "check_size", "external_question", "html_question", "question_digest"]

MAX_QUESTION_BYTES = 65_535
_SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"
_HTML_QUESTION = f"{_SCHEMAS}/2011-11-11/HTMLQuestion.xsd"
_EXTERNAL_QUESTION = f"{_SCHEMAS}/2006-07-14/ExternalQuestion.xsd"
# Everything that XML 1.0 forbids; an escape does not help, the characters have to go.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORM = re.compile(r"<(crowd-)?form[\s>]", re.IGNORECASE)


def html_question(html: str, frame_height: int = 0) -> str:
    """HTMLQuestion XML around a page; `frame_height` 0 lets the frame fit the page.

    Raises QuestionTooLarge over 65,535 bytes, MTurkError for a page without a form (nobody could submit it).
    """
    if not _FORM.search(html):
        raise MTurkError("The HIT page has no <form> (or <crowd-form>): nobody could submit it. Mend the template.")
    body = _ILLEGAL.sub("", html).replace("]]>", "]]]]><![CDATA[>")
    return check_size(
        f'<HTMLQuestion xmlns="{_HTML_QUESTION}"><HTMLContent><![CDATA[{body}]]></HTMLContent>'
        f"<FrameHeight>{frame_height:d}</FrameHeight></HTMLQuestion>"
    )


def external_question(url: str, frame_height: int = 0) -> str:
    """ExternalQuestion XML for a page that the requester serves."""
    return check_size(
        f'<ExternalQuestion xmlns="{_EXTERNAL_QUESTION}"><ExternalURL>{escape(url)}</ExternalURL>'
        f"<FrameHeight>{frame_height:d}</FrameHeight></ExternalQuestion>"
    )


def check_size(xml: str, *, what: str = "The HIT") -> str:
    """The XML itself where it fits. Raises QuestionTooLarge otherwise."""
    size = len(xml.encode())
    if size > MAX_QUESTION_BYTES:
        raise QuestionTooLarge(
            f"{what} is {size:,} bytes and the limit is {MAX_QUESTION_BYTES:,}. "
            "Show fewer faces per HIT (ask.faces_per_hit) or use shorter image links."
        )
    return xml


def question_digest(xml: str) -> str:
    """The SHA-256 of a question, 64 hex digits."""
    return hashlib.sha256(xml.encode()).hexdigest()
