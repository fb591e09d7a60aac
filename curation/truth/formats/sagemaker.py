"""SageMaker Ground Truth: what goes to the consolidation, what each worker handed in, and the output manifest.

The manifest holds one consolidated label an object and no votes. (AWS, SageMaker developer guide, “Output data”.)
"""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from .answers import resolve
from .mturk import flattened
from .nested import read_json
from .types import Answer, Content, Format, Reading, Records, Wish, refuse, text_of

__all__ = ["CONSOLIDATION", "MANIFEST", "RESPONSES"]

_FORM = "a consolidation request of SageMaker Ground Truth"
_WORKER_FORM = "worker responses of SageMaker Ground Truth"


def _fits_consolidation(content: Content) -> bool:
    return isinstance(content, Records) and {"datasetObjectId", "annotations"} <= set(content.first)


def _read_consolidation(records: Records, wish: Wish) -> Reading:
    answers = [
        Answer(
            text_of(one.get("workerId")), _object(item), _content(records.name, place, one.get("annotationData")), place
        )
        for place, item in enumerate(records.items, 1)
        for one in item.get("annotations", ())
    ]
    return resolve(_FORM, records.name, answers, wish, unit="record")


def _object(item: dict[str, Any]) -> str:
    data = item.get("dataObject") or {}
    return text_of(data.get("s3Uri") or item.get("datasetObjectId"))


def _content(name: str, place: int, data: Any) -> dict[str, str]:
    """The label in an answer, by the crowd element that asked."""
    content = (data or {}).get("content", "{}")
    try:
        value = read_json(content) if isinstance(content, str) else content
    except json.JSONDecodeError as error:
        raise refuse(name, f"holds no JSON in annotation {place} ({error.msg}).") from error
    return {key.removesuffix(".label"): text for key, text in flattened(value).items() if text}


def _fits_responses(content: Content) -> bool:
    answers = content.first.get("answers") if isinstance(content, Records) else None
    return isinstance(answers, list) and all(isinstance(one, dict) and "answerContent" in one for one in answers)


def _read_responses(records: Records, wish: Wish) -> Reading:
    """One file an object, as SageMaker writes them, or several gathered in an array."""
    stem = PurePath(records.name).stem
    answers = [
        Answer(
            text_of(one.get("workerId")),
            stem if records.whole else f"{stem}#{place}",
            _content(records.name, place, {"content": one["answerContent"]}),
            place,
            text_of(one.get("timeSpentInSeconds")),
            text_of(one.get("submissionTime")),
        )
        for place, item in enumerate(records.items, 1)
        for one in item.get("answers", ())
    ]
    return resolve(_WORKER_FORM, records.name, answers, wish, unit="record")


def _fits_manifest(content: Content) -> bool:
    return isinstance(content, Records) and bool({"source-ref", "source"} & set(content.first))


def _read_manifest(records: Records, _wish: Wish) -> Reading:
    raise refuse(
        records.name,
        "is an output manifest of SageMaker Ground Truth: one consolidated label an object, without who said what. "
        "The votes lie beside it, in annotations/worker-response/ and in the consolidation request.",
    )


CONSOLIDATION = Format(_FORM, _fits_consolidation, _read_consolidation)
RESPONSES = Format(_WORKER_FORM, _fits_responses, _read_responses)
MANIFEST = Format("an output manifest of SageMaker Ground Truth", _fits_manifest, _read_manifest)
