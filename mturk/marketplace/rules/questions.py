"""The four question formats: HTMLQuestion, ExternalQuestion, QuestionForm, and what a frame shows of them.

Formats: the AWS data schemas of 2011-11-11 (HTMLQuestion), 2006-07-14 (ExternalQuestion) and 2017-11-06
(QuestionForm; 2005-10-01 is still accepted).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mturk.marketplace.rules.questionform import QuestionForm

__all__ = ["Question"]


@dataclass(frozen=True, slots=True)
class Question:
    """A parsed question. Exactly one of `html`, `external_url` and `form` is set, as `kind` says."""

    kind: Literal["html", "external", "form"]
    frame_height: int
    """Pixels; 0 means: fit to the content."""
    html: str = ""
    external_url: str = ""
    form: QuestionForm | None = None
