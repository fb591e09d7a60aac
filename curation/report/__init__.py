"""The worker agreement report: what was asked, what it cost, who agrees, what is in doubt, and the faces behind it."""

from .catalog import InlinePictures, Pictures
from .inputs import Costs, Outcome, QuestionData, ReportInput, no_thumbnails
from .report import Report, build, build_tables

__all__ = [
    "Costs",
    "InlinePictures",
    "Outcome",
    "Pictures",
    "QuestionData",
    "Report",
    "ReportInput",
    "build",
    "build_tables",
    "no_thumbnails",
]
