"""A report for the terminal."""

from __future__ import annotations

from math import isnan

from ..plain import lines as as_text
from ..truth import TaskStatus
from .advice import Next
from .figures import QuestionFigures
from .todo import todo
from .value import ReportFigures

__all__ = ["percent", "render_text", "simulated_note"]

_MOST_WORKERS = 40


def percent(value: float, digits: int = 0) -> str:
    """A share for people; a dash where there is none."""
    return "–" if isnan(value) else f"{value:.{digits}%}"


def simulated_note(report: ReportFigures) -> str:
    """The sentence that says how many workers are programs; empty when none is."""
    count, total = len(report.simulated_workers), len(report.workers)
    if not count:
        return ""
    who = "All" if count == total else f"{count} of"
    return f"SIMULATED WORKERS: {who} {total} workers are programs, not people. These figures say nothing about people."


def render_text(report: ReportFigures) -> str:
    """The figures a requester acts on, without pictures."""
    lines = [report.title, "=" * len(report.title)]
    note = simulated_note(report)
    if note:
        lines += [note]
    lines += ["What to do:", *(f"  - {item.what}" for item in todo(report)), ""]
    if report.costs:
        costs, written = report.costs, report.costs.costs.written
        lines.append(
            f"Spent {written(costs.costs.total)}: {written(costs.per_vote)} a vote, "
            f"{written(costs.per_decided)} a decided face."
        )
    if report.sources:
        lines += ["", *_sources(report), ""]
    lines += [f"Audit, {name}: {audit.text()}." for name, audit in report.audits.items()]
    for question in report.questions:
        lines += ["", *_question(question)]
    return as_text(lines) + "\n"


def _sources(report: ReportFigures) -> list[str]:
    """What answers cost by where workers came from."""
    written = report.costs.costs.written if report.costs else str
    lines = ["Cost of a decision that stands, by where workers came from:"]
    lines.append(f"  {'source':<16} {'workers':>7} {'votes':>6} {'spent':>10} {'stand':>8} {'each':>10} {'gold':>6}")
    for one in report.sources:
        each = "–" if one.per_decision is None else written(one.per_decision)
        lines.append(
            f"  {one.source[:16]:<16} {one.workers:>7} {one.votes:>6} {written(one.spent):>10} {one.decisions:>8.1f} "
            f"{each:>10} {percent(one.gold.value):>6}"
        )
    return lines


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _question(one: QuestionFigures) -> list[str]:
    votes = one.data.votes
    counts = {status: len(tasks) for status, tasks in one.with_status.items()}
    labels = ", ".join(f"{name} {len(tasks)}" for name, tasks in one.decided_as() if len(tasks))
    alpha = one.alpha
    lines = [f"{one.name} ({one.data.outcome.method})"]
    lines.append(
        f"  {_count(votes.n_tasks, one.data.thing)}, {_count(len(votes), 'vote')} "
        f"by {_count(votes.n_workers, 'worker')}, {one.votes_per_task:.1f} a {one.data.thing}"
    )
    lines.append(
        f"  decided {counts[TaskStatus.DECIDED]} ({labels or 'none'}), disputed {counts[TaskStatus.DISPUTED]}, "
        f"undecided {counts[TaskStatus.UNDECIDED]}"
    )
    lines += [f"  {part}" for part in _errors(one)]
    if one.abstentions:
        lines.append(f"  {_count(one.abstentions, 'more voter')} could not tell")
    lines.append(f"  {one.reading}")
    lines.append(
        f"  Gwet's AC1 {_figure(one.agreement.ac1)}, Krippendorff's alpha {_figure(alpha.value)} "
        f"({_figure(alpha.low)} to {_figure(alpha.high)}), Fleiss' kappa {_figure(one.kappa)}, "
        f"unanimous {percent(one.unanimous)}"
    )
    if len(one.agreement_by_label()) > 1:
        shared = (f"“{name}” {percent(found.again)}" for name, found in one.agreement_by_label())
        lines.append(f"  where one says so, another does too: {', '.join(shared)}")
    if one.calibration:
        right = one.calibration.accuracy
        lines.append(
            f"  on {right.total} {one.data.things} with a known answer {percent(right.value, 1)} are right; "
            f"calibration error {percent(one.calibration.error, 1)}"
        )
    if len(one.reask.tasks):
        lines.append(f"  {_count(len(one.reask.tasks), one.data.thing)} worth another vote: the report lists them")
    return [*lines, "", *_workers(one)]


def _errors(one: QuestionFigures) -> list[str]:
    """What is known of the errors: measured on known answers, or that nothing shows them; and on which condition."""
    lines = []
    found = one.error_measured
    if found is not None:
        lines.append(
            f"wrong of {found.total} {one.data.things} with a known answer: {percent(found.value, 1)} "
            f"({percent(found.low, 1)} to {percent(found.high, 1)})"
        )
    if not isnan(one.error_now):
        nothing = "" if found is not None else "nothing here shows how many answers are wrong; "
        lines.append(
            f"{nothing}if voters err independently, {percent(one.error_now, 1)} now and "
            f"{percent(one.error_next, 1)} after one more vote on each open {one.data.thing}"
        )
    return lines


def _workers(one: QuestionFigures) -> list[str]:
    lines = [f"  {'worker':<20} {'votes':>6} {'agrees':>7} {'gold':>6} {'median s':>9}  next: evidence"]
    order = {Next.STOP: 0, Next.LOOK: 1, Next.PAY: 2}
    ranked = sorted(one.workers, key=lambda worker: (order[worker.advice.next], -worker.votes, worker.name))
    for worker in ranked[:_MOST_WORKERS]:
        median = "–" if isnan(worker.median_seconds) else f"{worker.median_seconds:.1f}"
        name = worker.name[:16] + (" (s)" if worker.simulated else "")
        flags = ", ".join(dict.fromkeys(flag.kind for flag in worker.flags))
        lines.append(
            f"  {name:<20} {worker.votes:>6} {percent(worker.agreement.value):>7} {percent(worker.gold.value):>6} "
            f"{median:>9}  {worker.advice.next}{f' ({flags})' if flags else ''}: {worker.advice.why}"
        )
    if len(ranked) > _MOST_WORKERS:
        rest = ranked[_MOST_WORKERS:]
        flagged = sum(bool(worker.flags) for worker in rest)
        lines.append(f"  and {len(rest)} more workers, {flagged} of them flagged; the HTML and JSON reports have all")
    return lines


def _figure(value: float) -> str:
    return "–" if isnan(value) else f"{value:.3f}"
