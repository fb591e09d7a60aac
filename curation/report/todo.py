"""What to do about a report's figures, the most urgent first: check, ask again, mend what lacks."""

from __future__ import annotations

from dataclasses import dataclass

from ..truth import TaskStatus
from .advice import Next
from .figures import QuestionFigures
from .value import ReportFigures

__all__ = ["Todo", "todo"]


@dataclass(frozen=True, slots=True)
class Todo:
    """One thing to do: `what` in a sentence, and the number of the question that it is about (None: of all)."""

    what: str
    question: int | None = None


def todo(report: ReportFigures) -> list[Todo]:
    """What to check, to ask again and to mend. One line where there is nothing."""
    found = [
        Todo(f"Check what was decided of {name}: {audit.text()}.")
        for name, audit in report.audits.items()
        if audit.over_confident
    ]
    for number, question in enumerate(report.questions):
        found += [Todo(f"{question.name}: {text}.", number) for text in _of_question(question)]
    if found:
        return found
    if not any(len(question.data.votes) for question in report.questions):
        return [Todo("Ask people first: there are no votes yet.")]
    return [Todo("Nothing: what was asked is decided, and no worker stands out.")]


def _of_question(question: QuestionFigures) -> list[str]:
    disputed, undecided = (len(question.with_status[one]) for one in (TaskStatus.DISPUTED, TaskStatus.UNDECIDED))
    stop, look = (
        sum(worker.advice.next is one and not worker.simulated for worker in question.workers)
        for one in (Next.STOP, Next.LOOK)
    )
    lines = []
    if disputed:
        lines.append(f"decide {_count(disputed, question)} yourself on which the votes do not agree, or ask once more")
    if undecided:
        lines.append(f"ask more people about {_count(undecided, question)} that too few have answered")
    if stop:
        lines.append(f"stop asking {stop} {'worker' if stop == 1 else 'workers'} whose answers look blind")
    if look:
        lines.append(f"look at the answers of {look} {'worker' if look == 1 else 'workers'}")
    if question.error_measured is None and len(question.data.votes):
        lines.append(f"mix in {question.data.things} with a known answer: nothing shows yet how many answers are wrong")
    return lines


def _count(number: int, question: QuestionFigures) -> str:
    return f"{number:,} {question.data.thing if number == 1 else question.data.things}"
