"""Tools for annotators that write JSON: Prodigy, Doccano, Labelbox and Argilla."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from .answers import resolve
from .types import Answer, Content, Format, Reading, Records, Wish, refuse, text_of

__all__ = ["ARGILLA", "DOCCANO", "LABELBOX", "PRODIGY"]

_SHORT = 300


def _short(item: Mapping[str, Any], *names: str) -> str:
    """The first of these values that can name a task: text, not too long, no picture packed into it."""
    found = (item.get(name) for name in names)
    return next(
        (one for one in found if isinstance(one, str) and len(one) <= _SHORT and not one.startswith("data:")), ""
    )


def _fits_prodigy(content: Content) -> bool:
    return isinstance(content, Records) and {"_task_hash", "answer"} <= set(content.first)


def _read_prodigy(records: Records, wish: Wish) -> Reading:
    """`accept` holds the chosen options; without options `answer` says whether the `label` shown was accepted."""
    answers, out = [], Counter[str]()
    shown = {text_of(item.get("label")) for item in records.items if not item.get("options")}
    for place, item in enumerate(records.items, 1):
        said = text_of(item.get("answer"))
        choices = item.get("options") or isinstance(item.get("accept"), list)
        if said == "ignore" or (choices and said != "accept"):
            out["ignored" if said == "ignore" else "rejected without a choice"] += 1
            continue
        task = _short(item, "image", "text", "html") or text_of(item.get("_input_hash"))
        label: str | list[str] = [text_of(one) for one in item.get("accept") or ()] if choices else said
        if not choices and item.get("label"):
            label = text_of(item["label"]) if said == "accept" else f"not {text_of(item['label'])}"
            task = f"{task}: {text_of(item['label'])}" if len(shown) > 1 else task
        worker = text_of(item.get("_annotator_id") or item.get("_session_id"))
        answers.append(Answer(worker, task, {"answer": label}, place, submitted=_moment(item.get("_timestamp"))))
    notes = [f"{count} answers left out: {why}." for why, count in sorted(out.items())]
    return resolve("annotations of Prodigy", records.name, answers, wish, notes=notes, unit="record")


def _moment(stamp: Any) -> str:
    return datetime.fromtimestamp(stamp, UTC).isoformat() if isinstance(stamp, int | float) else ""


def _fits_doccano(content: Content) -> bool:
    first = content.first if isinstance(content, Records) else {}
    listed = first.get("annotations")
    old = (
        isinstance(listed, list) and "text" in first and all(isinstance(one, dict) and "user" in one for one in listed)
    )
    return "id" in first and (isinstance(first.get("label"), list) or old)


def _read_doccano(records: Records, wish: Wish) -> Reading:
    answers = []
    for place, item in enumerate(records.items, 1):
        task = _short(item, "filename") or text_of(item.get("id"))
        for worker, labels in _doccano_votes(item):
            if any(isinstance(one, list | dict) for one in labels):
                raise refuse(records.name, "holds marked passages, not one label a text; only labels can be voted on.")
            answers.append(Answer(worker, task, {"label": [text_of(one) for one in labels]}, place))
    if not any(one.worker for one in answers):
        raise refuse(
            records.name,
            'does not say who gave its labels. Doccano exports one file a user: add "annotator" to each line of each '
            "file, and put the files together.",
        )
    return resolve("an export of Doccano", records.name, answers, wish, unit="record")


def _doccano_votes(item: Mapping[str, Any]) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(item.get("label"), list):
        yield text_of(item.get("annotator") or item.get("username") or item.get("user")), item["label"]
    for one in item.get("annotations") or ():
        yield text_of(one.get("user")), [one.get("label")]


def _fits_labelbox(content: Content) -> bool:
    return isinstance(content, Records) and {"data_row", "projects"} <= set(content.first)


def _read_labelbox(records: Records, wish: Wish) -> Reading:
    answers = []
    for place, item in enumerate(records.items, 1):
        row = item["data_row"]
        task = _short(row, "external_id", "global_key") or text_of(row.get("id"))
        for project in item["projects"].values():
            for label in project.get("labels", ()):
                details = label.get("label_details", {})
                given = dict(_labelbox_answers(label.get("annotations", {}).get("classifications", ())))
                seconds = label.get("performance_details", {}).get("seconds_to_create")
                worker = text_of(details.get("created_by"))
                answers.append(Answer(worker, task, given, place, text_of(seconds), text_of(details.get("created_at"))))
    return resolve("an export of Labelbox", records.name, answers, wish, unit="record")


def _labelbox_answers(classifications: Any) -> Iterator[tuple[str, str | list[str]]]:
    for one in classifications:
        name = text_of(one.get("name"))
        if "radio_answer" in one:
            yield name, text_of(one["radio_answer"].get("name"))
        elif "checklist_answers" in one:
            yield name, [text_of(answer.get("name")) for answer in one["checklist_answers"]]
        elif "text_answer" in one:
            yield name, text_of(one["text_answer"].get("content"))


def _fits_argilla(content: Content) -> bool:
    if not isinstance(content, Records):
        return False
    return isinstance(content.first.get("responses"), dict | list) or bool(_flat(content.first))


def _flat(record: Mapping[str, Any]) -> list[str]:
    """The questions of a flattened record: `QUESTION.responses` with `QUESTION.responses.users` beside it."""
    ends = ".responses.users"
    return [name.removesuffix(ends) for name in record if name.endswith(ends)]


def _read_argilla(records: Records, wish: Wish) -> Reading:
    answers, out = [], Counter[str]()
    for place, item in enumerate(records.items, 1):
        task = text_of(item.get("id")) or text_of(item.get("external_id")) or str(place)
        found: dict[str, dict[str, Any]] = {}
        for worker, question, value, status in _argilla_answers(item):
            if status in ("discarded", "draft"):
                out[status] += 1
            else:
                found.setdefault(worker, {})[question] = (
                    [text_of(one) for one in value] if isinstance(value, list) else text_of(value)
                )
        answers += [Answer(worker, task, given, place) for worker, given in found.items()]
    notes = [f"{count} responses left out: {status}." for status, count in sorted(out.items())]
    return resolve("an export of Argilla", records.name, answers, wish, notes=notes, unit="record")


def _argilla_answers(record: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, str]]:
    """(worker, question, value, status), of version 2 (questions hold users, flattened or not) or 1 (users hold
    questions)."""
    for question in _flat(record):
        values, users = (record.get(f"{question}.responses{end}") or () for end in ("", ".users"))
        states = record.get(f"{question}.responses.status") or [""] * len(users)
        for user, value, state in zip(users, values, states, strict=False):
            yield text_of(user), question, value, text_of(state)
    responses = record.get("responses") or ()
    if isinstance(responses, dict):
        for question, given in responses.items():
            for one in given or ():
                yield text_of(one.get("user_id")), str(question), one.get("value"), text_of(one.get("status"))
        return
    for one in responses:
        for question, value in (one.get("values") or {"": None}).items():
            said = value.get("value") if isinstance(value, dict) else value
            yield text_of(one.get("user_id")), str(question), said, text_of(one.get("status"))


PRODIGY = Format("annotations of Prodigy", _fits_prodigy, _read_prodigy)
DOCCANO = Format("an export of Doccano", _fits_doccano, _read_doccano)
LABELBOX = Format("an export of Labelbox", _fits_labelbox, _read_labelbox)
ARGILLA = Format("an export of Argilla", _fits_argilla, _read_argilla)
