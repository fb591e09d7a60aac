"""A report as a value, and the forms it comes in: HTML, text, JSON and data frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..truth.audit import AuditResult
from ..types import FaceId, Status
from .figures import cost_figures, question_figures
from .inputs import Costs, QuestionData, ReportInput, Thumbnails, no_thumbnails
from .sources import source_figures
from .speech import ENGLISH, Speech
from .value import ReportFigures

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["Report", "build", "build_tables"]


@dataclass(frozen=True, slots=True, eq=False)
class Report(ReportFigures):
    """All figures of a report, and the forms it comes in; rendering changes nothing and can be repeated."""

    def to_html(self, speech: Speech = ENGLISH) -> str:
        """One file with everything in it: pictures, charts and style; no script."""
        from .page import render_page

        return render_page(self, speech)

    def to_text(self) -> str:
        """For a terminal, 100 columns wide."""
        from .text import render_text

        return render_text(self)

    def to_json(self) -> str:
        """Figures per question and worker, flags with their faces, and every face's outcome."""
        from .tables import render_json

        return render_json(self)

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Data frames `questions`, `workers`, `flags`, `faces`, `reask`, `votes`, `pairs`, `changes`."""
        from .tables import render_frames

        return render_frames(self)

    def figures(self) -> dict[str, Any]:
        """What `to_json` writes, as plain Python values."""
        from .tables import figures_of

        return figures_of(self)


def build(source: ReportInput) -> Report:
    """Count everything that the report says."""
    rejected = {
        str(item.face_id)
        for _, decisions in source.questions.values()
        for item in decisions
        if item.status is Status.REJECTED
    }
    tables = [
        replace(
            QuestionData.from_votes(question, votes, decisions, source.previous.get(question, ()), source.simulated),
            needless=frozenset(rejected),
        )
        for question, (votes, decisions) in source.questions.items()
    ]
    return build_tables(
        source.title,
        tables,
        source.generated_at,
        costs=source.costs,
        thumbnails=source.thumbnails,
        names=source.names,
        audits=source.audits,
        sources=source.sources,
        spent_by_source=source.spent_by_source,
    )


def build_tables(
    title: str,
    tables: Sequence[QuestionData],
    generated_at: datetime,
    *,
    costs: Costs | None = None,
    thumbnails: Thumbnails = no_thumbnails,
    names: Callable[[FaceId], str] = str,
    audits: Mapping[str, AuditResult] = MappingProxyType({}),
    sources: Mapping[str, str] = MappingProxyType({}),
    spent_by_source: Mapping[str, Decimal] = MappingProxyType({}),
) -> Report:
    """A report on questions that are in columns already."""
    questions = tuple(question_figures(table) for table in tables)
    origins = source_figures(questions, sources, spent_by_source)
    return Report(title, generated_at, questions, cost_figures(costs, questions), thumbnails, names, audits, origins)
