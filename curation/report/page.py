"""A report as HTML: sections that a server can place, and the one file that holds them all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from ..truth import TaskStatus, vote_counts
from ..types import Vote
from . import charts
from .advice import Next
from .catalog import Catalog, InlinePictures, Pictures
from .figures import QuestionFigures, disagreement_order
from .speech import ENGLISH, Speech
from .text import percent, simulated_note
from .todo import todo
from .value import ReportFigures
from .workers import MANY_LABELS, Rate, WorkerFigures

__all__ = ["Section", "render_page", "render_sections", "stylesheet"]

_CARDS = 60
_REASKED = 24
_MOST_MISTAKES = 20
_MOST_IN_BAR = 3  # with the others, disputed and undecided: as many as there are hatchings
_MOST_PAIR_LISTS = 40


@dataclass(frozen=True, slots=True)
class Section:
    """A fragment: `html` is a `<section>` (or the drawers) with the id `anchor`; `title` is for a contents list."""

    anchor: str
    title: str
    html: Markup


def stylesheet() -> str:
    """The CSS that sections need; it has no address in it and asks for no script."""
    return (files(__package__) / "templates" / "report.css").read_text(encoding="utf-8")


def render_page(report: ReportFigures, speech: Speech = ENGLISH) -> str:
    """One file: style, pictures and charts inside."""
    pictures = InlinePictures(report.thumbnails)
    sections = render_sections(report, pictures, speech)
    return _template(speech, "page.html").render(
        language=speech.language,
        title=speech.said(report.title),
        when=_when(report.generated_at, speech),
        sections=sections,
        css=Markup(stylesheet()),
        pictures=Markup(pictures.css()),
    )


def render_sections(report: ReportFigures, pictures: Pictures, speech: Speech = ENGLISH) -> list[Section]:
    """Overview, one section per question, and last the drawers (lists, workers, faces) that their numbers link to."""
    catalog = Catalog(report.questions, pictures, report.names)
    thing = report.questions[0].data.thing if report.questions else "face"
    context = {
        "report": report,
        "catalog": catalog,
        "note": simulated_note(report),
        "todo": todo(report),
        "thing": speech.said(thing),
        "things": speech.said(f"{thing}s"),
    }
    sections = [Section("overview", speech.gettext("Overview"), _render(speech, "overview.html", context))]
    sheets: list[Markup] = []
    for number, question in enumerate(report.questions):
        view = QuestionView(question, number, catalog, speech)
        html = _render(speech, "question.html", {**context, "view": view, "q": question})
        title = speech.gettext("Question: %(name)s") % {"name": view.word(question.name)}
        sections.append(Section(f"question-{number}", title, html))
        sheets += [
            _render(speech, "worker.html", {**context, "view": view, "q": question, "worker": worker, "code": code})
            for code, worker in enumerate(question.workers)
        ]
    drawers = Markup("").join([*sheets, *_lists(catalog, report, speech), *_faces(catalog, report, speech)])
    sections.append(Section("drawers", "", Markup('<div id="drawers">{}{}</div>').format(charts.PATTERNS, drawers)))
    return sections


def _when(moment: datetime, speech: Speech) -> str:
    """A moment as the language writes it: the day's number, the month by name."""
    month = speech.gettext(moment.strftime("%B"))
    return speech.gettext("%(day)s %(month)s %(year)s, %(time)s") % {
        "day": moment.strftime("%d"), "month": month, "year": moment.strftime("%Y"), "time": moment.strftime("%H:%M %Z")
    }  # fmt: skip


def _lists(catalog: Catalog, report: ReportFigures, speech: Speech) -> Iterator[Markup]:
    """Drawing a list may not open new ones; the lists are complete when the sheets are drawn."""
    template = _template(speech, "list.html")
    for one in list(catalog.lists):
        faces, others = catalog.drawn(one)
        things = speech.said(report.questions[one.question].data.things)
        yield Markup(template.render(list=one, faces=faces, others=others, things=things))


def _faces(catalog: Catalog, report: ReportFigures, speech: Speech) -> Iterator[Markup]:
    template = _template(speech, "face.html")
    index = [_FaceIndex(question) for question in report.questions]
    for number, face in catalog.faces():
        asked = [(one, one.view(face)) for one in index]
        yield Markup(template.render(number=number, face=face, catalog=catalog, asked=[a for a in asked if a[1]]))


class _FaceIndex:
    """Votes by face, found without a search per face."""

    def __init__(self, question: QuestionFigures) -> None:
        votes = question.data.votes
        self.question = question
        self._code = {task: code for code, task in enumerate(votes.task_names)}
        self._order = np.argsort(votes.tasks, kind="stable")
        self._first = np.searchsorted(votes.tasks[self._order], np.arange(votes.n_tasks + 1))

    def view(self, face: str) -> dict[str, Any] | None:
        code = self._code.get(face)
        if code is None:
            return None
        rows = self._order[self._first[code] : self._first[code + 1]]
        return _face_view(self.question, code, rows)


def _face_view(question: QuestionFigures, task: int, rows: NDArray[np.intp]) -> dict[str, Any]:
    data = question.data
    label = int(data.outcome.label[task])
    return {
        "status": str(TaskStatus(int(data.outcome.status[task]))),
        "label": data.votes.label_names[label] if label >= 0 else None,
        "posterior": percent(float(data.outcome.posterior[task])),
        "reason": data.outcome.reason[task],
        "by": data.outcome.decided_by[task],
        "votes": [
            {
                "worker": int(data.votes.workers[row]),
                "name": data.votes.worker_names[data.votes.workers[row]],
                "label": data.votes.label_names[data.votes.labels[row]],
                "reason": data.reason[row],
                "seconds": float(data.seconds[row]),
            }
            for row in rows.tolist()
        ],
        "overruled": [vote for vote in data.overruled if vote.face_id == data.votes.task_names[task]],
    }


class _Differences:
    """On which tasks each two of some workers answered differently."""

    def __init__(self, question: QuestionFigures, workers: tuple[int, ...]) -> None:
        votes = question.data.votes
        self._said = np.full((len(workers), votes.n_tasks), -1, dtype=np.int32)
        for row, worker in enumerate(workers):
            rows = question.workers[worker].rows
            self._said[row, votes.tasks[rows]] = votes.labels[rows]

    def tasks(self, left: int, right: int) -> NDArray[np.intp]:
        one, other = self._said[left], self._said[right]
        return np.flatnonzero((one >= 0) & (other >= 0) & (one != other))

    def same_odd(self, left: int, right: int, counts: NDArray[np.float64]) -> NDArray[np.intp]:
        """Tasks on which both gave the same answer although another has more votes, the voter's own left out."""
        one = self._said[left]
        same = np.flatnonzero((one >= 0) & (one == self._said[right]))
        rivals = counts[same].copy()
        own = rivals[np.arange(len(same)), one[same]]
        rivals[np.arange(len(same)), one[same]] = 0
        return np.asarray(same[own - 1 < rivals.max(axis=1, initial=0)])


class QuestionView:
    """What the question's templates ask for: links, charts and orders."""

    def __init__(self, question: QuestionFigures, number: int, catalog: Catalog, speech: Speech) -> None:
        self._speech = speech
        self.q = question
        self.number = number
        self.catalog = catalog
        self.most_mistakes = _MOST_MISTAKES
        self._index = _FaceIndex(question)
        hits = sum(worker.agreement.hits for worker in question.workers)
        total = sum(worker.agreement.total for worker in question.workers)
        self.crowd_agreement = hits / total if total else float("nan")

    def word(self, code: str) -> str:
        """A label, a reason or a status as people say it."""
        return _word(code, self._speech)

    def link(self, tasks: NDArray[np.intp], title: str, text: object = None) -> Markup:
        """The number of tasks (or `text`) as a link to them."""
        shown = self._speech.numerals(f"{len(tasks):,}") if text is None else text
        return self.catalog.link(shown, title, self.number, tasks)

    def status(self, name: str) -> NDArray[np.intp]:
        return self.q.with_status[TaskStatus[name.upper()]]

    def divided(self) -> NDArray[np.intp]:
        """Tasks on which not all voters agree, the most contested first."""
        counts = vote_counts(self.q.data.votes)
        return disagreement_order(self.q.data, np.flatnonzero(counts.max(axis=1, initial=0) < counts.sum(axis=1)))

    def doubtful(self) -> NDArray[np.intp]:
        """The tasks with the lowest posteriors, at most as many as a list shows."""
        posterior = self.q.data.outcome.posterior
        known = np.flatnonzero(~np.isnan(posterior))
        return known[np.argsort(posterior[known], kind="stable")][:200]

    def outcome_bar(self) -> Markup:
        said = self._speech.gettext
        decided = said("decided: %(label)s")
        parts = [(decided % {"label": self.word(name)}, len(tasks)) for name, tasks in self.q.decided_as(_MOST_IN_BAR)]
        parts += [(self.word(name), len(self.status(name))) for name in ("disputed", "undecided")]
        return charts.stacked_bar([part for part in parts if part[1]], said("What the votes amount to"), self._speech)

    def whisker(self, rate: Rate) -> Markup:
        """A rate of a worker beside the crowd's."""
        return charts.whisker(rate, self._speech, reference=self.crowd_agreement)

    def over_time(self, worker: WorkerFigures) -> Markup:
        """How a worker's agreement went."""
        return charts.rates_over_time(worker.spans, self.crowd_agreement, self._speech)

    def reasons(self) -> list[tuple[str, NDArray[np.intp]]]:
        """Reasons of decided faces, the most frequent first."""
        found: dict[str, list[int]] = {}
        decided = self.q.data.outcome.status == TaskStatus.DECIDED
        for task in np.flatnonzero(decided).tolist():
            reason = self.q.data.outcome.reason[task]
            if reason:
                found.setdefault(reason, []).append(task)
        return sorted(((name, np.array(tasks)) for name, tasks in found.items()), key=lambda one: -len(one[1]))

    def cards(self, name: str) -> list[tuple[Markup, dict[str, Any]]]:
        """The most contested faces of a status, with who said what."""
        tasks = disagreement_order(self.q.data, self.status(name))[:_CARDS]
        names = self.q.data.votes.task_names
        views = ((task, self._index.view(names[task])) for task in tasks.tolist())
        return [(self.catalog.face(self.number, task), view) for task, view in views if view is not None]

    def reask(self) -> list[tuple[Markup, dict[str, Any], float]]:
        """The first tasks worth another vote, with who said what and what a vote is expected to gain."""
        found = self.q.reask
        names = self.q.data.votes.task_names
        pairs = zip(found.tasks[:_REASKED].tolist(), found.gain[:_REASKED].tolist(), strict=True)
        views = ((task, self._index.view(names[task]), gain) for task, gain in pairs)
        return [(self.catalog.face(self.number, task), view, gain) for task, view, gain in views if view is not None]

    def workers(self) -> list[tuple[int, WorkerFigures]]:
        """(code, figures): whom to stop asking first, then whom to look at, then the most active."""
        order = {Next.STOP: 0, Next.LOOK: 1, Next.PAY: 2}
        return sorted(
            enumerate(self.q.workers), key=lambda one: (order[one[1].advice.next], -one[1].votes, one[1].name)
        )

    def tasks_of(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        return np.unique(self.q.data.votes.tasks[rows]).astype(np.intp)

    def confused(self, worker: WorkerFigures, row: int) -> Markup:
        """The number in a row of a worker's confusion, as a link to the faces behind it."""
        data, said = self.q.data, worker.confusion
        truth, answer = int(said.truth[row]), int(said.answer[row])
        tasks = data.votes.tasks[worker.rows]
        inside = (worker.reference == truth) & (data.votes.labels[worker.rows] == answer)
        names = data.votes.label_names
        return self.link(
            np.asarray(tasks[inside], dtype=np.intp),
            self._speech.gettext("%(name)s: others or gold %(right)s, answered %(label)s")
            % {"name": worker.name, "right": self.word(names[truth]), "label": self.word(names[answer])},
        )

    def labels_given(self, worker: WorkerFigures) -> tuple[list[tuple[str, int]], int]:
        """Label → how often the worker gave it; of many labels the most frequent, and how many others were given."""
        named = list(zip(self.q.data.votes.label_names, worker.answers.tolist(), strict=True))
        if self.q.few_labels:
            return named, 0
        given = sorted((one for one in named if one[1]), key=lambda one: -one[1])
        return given[:MANY_LABELS], len(given[MANY_LABELS:])

    def gold_misses(self, worker: WorkerFigures) -> NDArray[np.intp]:
        tasks = self.q.data.votes.tasks[worker.rows]
        known = self.q.data.gold[tasks]
        return np.asarray(tasks[(known >= 0) & (known != self.q.data.votes.labels[worker.rows])], dtype=np.intp)

    def same_odd(self, left: int, right: int) -> NDArray[np.intp]:
        """The faces behind a pair that answers alike."""
        return _Differences(self.q, (left, right)).same_odd(0, 1, vote_counts(self.q.data.votes))

    def overruled(self) -> list[tuple[Markup, Vote]]:
        """What people decided against, or without, the crowd: the face and the person's vote."""
        code = {task: place for place, task in enumerate(self.q.data.votes.task_names)}
        return [
            (self.catalog.face(self.number, code[vote.face_id]), vote)
            for vote in self.q.data.overruled[:_CARDS]
            if vote.face_id in code
        ]

    def pair_matrix(self) -> Markup:
        """Agreement of each two of the most active workers; a cell opens the faces on which they differ."""
        pairs = self.q.pairwise
        if pairs is None:
            return Markup("")
        share, codes = pairs.share, self.q.pairwise_workers
        differing = _Differences(self.q, codes) if len(codes) <= _MOST_PAIR_LISTS else None

        def link(row: int, column: int) -> str:
            if differing is None or share[row, column] == 1.0:
                return f"#worker-{self.number}-{codes[row]}"
            left, right = sorted((row, column))
            said = self._speech.gettext("%(one)s and %(other)s: they differ")
            title = said % {"one": pairs.workers[left], "other": pairs.workers[right]}
            return self.catalog.anchor(title, self.number, differing.tasks(left, right))

        title = self._speech.gettext("Pairwise agreement")
        return charts.matrix(
            pairs.workers, lambda row, column: float(share[row, column]), link, title, self._speech.gettext("and")
        )

    def reliability(self) -> Markup:
        found = self.q.calibration
        bins = [(mean, right, len(tasks)) for mean, right, tasks in found.bins] if found else []
        return charts.reliability(bins, self._speech)

    def changed(self) -> list[tuple[Markup, str, str]]:
        return [
            (self.catalog.face(self.number, task), before, now) for task, before, now in self.q.data.changed[:_CARDS]
        ]

    def changed_tasks(self) -> NDArray[np.intp]:
        return np.array([task for task, _, _ in self.q.data.changed], dtype=np.intp)


def _render(speech: Speech, name: str, context: dict[str, Any]) -> Markup:
    return Markup(_template(speech, name).render(**context))


def _word(code: str, speech: Speech) -> str:
    return speech.said(code.replace("_", " "))


@cache
def _environment(speech: Speech) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(speech.gettext, speech.ngettext, newstyle=True)  # type: ignore[attr-defined]
    numerals = speech.numerals
    environment.filters.update(
        said=speech.said,
        word=lambda code: _word(code, speech),
        numerals=numerals,
        number=lambda value: numerals(f"{value:,}"),
        decimals=lambda value, digits: numerals(f"{value:,.{digits}f}"),
        percent=lambda value, digits=0: numerals(percent(value, digits)),
        figure=lambda value, digits=3: "–" if value != value else numerals(f"{value:.{digits}f}"),
    )
    return environment


def _template(speech: Speech, name: str) -> jinja2.Template:
    return _environment(speech).get_template(name)
