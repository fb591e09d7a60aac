"""The figures of a report as a value: what every form of it is made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..truth.audit import AuditResult
from ..types import FaceId
from .figures import CostFigures, QuestionFigures
from .inputs import Thumbnails, no_thumbnails
from .sources import SourceFigures

__all__ = ["ReportFigures"]


@dataclass(frozen=True, slots=True, eq=False)
class ReportFigures:
    """What was asked, what it cost and who answered; `thumbnails` and `names` give a face its picture and its name;
    `audits` say, by what was audited, how decisions fared that were asked once more; `sources` what answers cost by
    where workers came from, where they came from several places."""

    title: str
    generated_at: datetime
    questions: tuple[QuestionFigures, ...]
    costs: CostFigures | None
    thumbnails: Thumbnails = no_thumbnails
    names: Callable[[FaceId], str] = str
    audits: Mapping[str, AuditResult] = field(default_factory=dict)
    sources: tuple[SourceFigures, ...] = ()

    @property
    def simulated_workers(self) -> frozenset[str]:
        """The names of the workers that are programs."""
        return frozenset(worker.name for one in self.questions for worker in one.workers if worker.simulated)

    @property
    def workers(self) -> frozenset[str]:
        """The names of all workers."""
        return frozenset(worker.name for one in self.questions for worker in one.workers)
