"""A report as data frames and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from ..truth import TaskStatus
from .figures import QuestionFigures
from .sources import SourceFigures
from .value import ReportFigures
from .workers import Rate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["figures_of", "render_frames", "render_json"]

_STATUS = np.array([str(status) for status in TaskStatus], dtype=object)


def render_json(report: ReportFigures) -> str:
    """Indented JSON; unknown numbers are null, money is text."""
    return json.dumps(figures_of(report), indent=1, ensure_ascii=False) + "\n"


def figures_of(report: ReportFigures) -> dict[str, Any]:
    """The report as plain values."""
    costs = report.costs
    return {
        "title": report.title,
        "generated_at": report.generated_at.isoformat(),
        "simulated_workers": sorted(report.simulated_workers),
        "costs": None
        if costs is None
        else {
            "total": str(costs.costs.total),
            "rewards": str(costs.costs.rewards),
            "fees": str(costs.costs.fees),
            "bonuses": str(costs.costs.bonuses),
            "currency": costs.costs.currency,
            "per_vote": None if costs.per_vote is None else str(costs.per_vote),
            "per_decided_face": None if costs.per_decided is None else str(costs.per_decided),
        },
        "sources": [_source(one) for one in report.sources],
        "audits": {name: audit.as_dict() for name, audit in report.audits.items()},
        "questions": [_question(one) for one in report.questions],
    }


def _source(one: SourceFigures) -> dict[str, Any]:
    return {
        "source": one.source,
        "workers": one.workers,
        "votes": one.votes,
        "spent": str(one.spent),
        "decisions": one.decisions,
        "per_vote": None if one.per_vote is None else str(one.per_vote),
        "per_decision": None if one.per_decision is None else str(one.per_decision),
        "gold": _rate(one.gold),
    }


def _question(one: QuestionFigures) -> dict[str, Any]:
    votes = one.data.votes
    calibration = one.calibration
    return {
        "question": one.name,
        "method": one.data.outcome.method,
        "faces": votes.n_tasks,
        "votes": len(votes),
        "repeated_votes_left_out": votes.repeated,
        "abstentions": one.abstentions,
        "workers": [_worker(one, code) for code in range(votes.n_workers)],
        "status": {str(status): len(tasks) for status, tasks in one.with_status.items()},
        "labels": {name: len(tasks) for name, tasks in zip(votes.label_names, one.with_label, strict=True)},
        "percent_agreement": _number(one.agreement.share),
        "agreement_reading": one.reading,
        "ac1": _number(one.agreement.ac1),
        "alpha": _number(one.alpha.value),
        "alpha_low": _number(one.alpha.low),
        "alpha_high": _number(one.alpha.high),
        "label_agreement": {
            name: {key: _number(value) for key, value in asdict(found).items()}
            for name, found in one.agreement_by_label()
        },
        "fleiss_kappa": _number(one.kappa),
        "unanimous_share": _number(one.unanimous),
        "error_measured": None if one.error_measured is None else _rate(one.error_measured),
        "error_if_independent": _number(one.error_now),
        "error_if_independent_after_another_vote": _number(one.error_next),
        "calibration": None
        if calibration is None
        else {
            "accuracy": _rate(calibration.accuracy),
            "error": calibration.error,
            "bins": [
                {"confidence": confidence, "right": _rate(right), "faces": len(tasks)}
                for confidence, right, tasks in calibration.bins
            ],
        },
        "changed": [
            {"face": votes.task_names[task], "before": before, "now": now} for task, before, now in one.data.changed
        ],
        "overruled": [
            {"face": vote.face_id, "label": vote.label, "by": vote.worker_id, "why": vote.note or vote.reason}
            for vote in one.data.overruled
        ],
        "worth_another_vote": [
            {"face": votes.task_names[task], "gain": round(gain, 4)}
            for task, gain in zip(one.reask.tasks.tolist(), one.reask.gain.tolist(), strict=True)
        ],
        "decisions": _decisions(one),
    }


def _worker(one: QuestionFigures, code: int) -> dict[str, Any]:
    worker = one.workers[code]
    names, tasks, labels = one.data.votes.task_names, one.data.votes.tasks, one.data.votes.label_names
    return {
        "worker": worker.name,
        "simulated": worker.simulated,
        "votes": worker.votes,
        "agrees_with_others": _rate(worker.agreement),
        "gold": _rate(worker.gold),
        "median_seconds": _number(worker.median_seconds),
        "confusion": [
            {
                "truth": labels[truth],
                "answered": labels[answer],
                "count": count,
                "rate": share,
                "low": low,
                "high": high,
            }
            for (truth, answer, count), share, low, high in zip(
                worker.confusion.pairs(),
                worker.confusion.rate.tolist(),
                worker.confusion.low.tolist(),
                worker.confusion.high.tolist(),
                strict=True,
            )
            if count
        ],
        "answers_show": str(worker.told),
        "advice": {"next": str(worker.advice.next), "why": worker.advice.why},
        "flags": [
            {"kind": flag.kind, "evidence": flag.evidence, "faces": [names[task] for task in tasks[flag.rows].tolist()]}
            for flag in worker.flags
        ],
    }


def _decisions(one: QuestionFigures) -> list[dict[str, Any]]:
    frame = _faces(one)
    return [
        {str(key): None if isinstance(value, float) and value != value else value for key, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _rate(rate: Rate) -> dict[str, Any]:
    return {"hits": rate.hits, "of": rate.total, "low": rate.low, "high": rate.high}


def _number(value: float) -> float | None:
    return None if value != value else float(value)


def render_frames(report: ReportFigures) -> dict[str, pd.DataFrame]:
    """One tidy frame per subject, each with a `question` column first."""
    import pandas as pd

    parts: dict[str, list[pd.DataFrame]] = {}
    for one in report.questions:
        for name, frame in _frames(one).items():
            frame.insert(0, "question", one.name)
            parts.setdefault(name, []).append(frame)
    return {name: pd.concat(frames, ignore_index=True) for name, frames in parts.items()}


def _frames(one: QuestionFigures) -> dict[str, pd.DataFrame]:
    import pandas as pd

    pairs = [
        {
            "worker": one.workers[pair.left].name,
            "other": one.workers[pair.right].name,
            "shared": pair.shared,
            "of": pair.odd,
            "expected": pair.expected,
            "chance": pair.chance,
        }
        for pair in one.copies.pairs
    ]
    names = one.data.votes.task_names
    return {
        "questions": pd.DataFrame([_question_row(one)]),
        "workers": pd.DataFrame([_worker_row(one, code) for code in range(len(one.workers))]),
        "flags": pd.DataFrame(
            [
                {"worker": worker.name, "kind": flag.kind, "evidence": flag.evidence, "votes": len(flag.rows)}
                for worker in one.workers
                for flag in worker.flags
            ],
            columns=["worker", "kind", "evidence", "votes"],
        ),
        "faces": _faces(one),
        "reask": _reask(one),
        "votes": _votes(one),
        "pairs": pd.DataFrame(pairs, columns=["worker", "other", "shared", "of", "expected", "chance"]),
        "changes": pd.DataFrame(
            [(names[task], before, now) for task, before, now in one.data.changed], columns=["face", "before", "now"]
        ),
    }


def _question_row(one: QuestionFigures) -> dict[str, Any]:
    return {
        "method": one.data.outcome.method,
        "faces": one.data.votes.n_tasks,
        "votes": len(one.data.votes),
        "workers": one.data.votes.n_workers,
        **{str(status): len(tasks) for status, tasks in one.with_status.items()},
        "percent_agreement": one.agreement.share,
        "ac1": one.agreement.ac1,
        "alpha": one.alpha.value,
        "alpha_low": one.alpha.low,
        "alpha_high": one.alpha.high,
        "fleiss_kappa": one.kappa,
        "unanimous_share": one.unanimous,
        "error_measured": float("nan") if one.error_measured is None else one.error_measured.value,
        "error_if_independent": one.error_now,
        "error_if_independent_after_another_vote": one.error_next,
    }


def _worker_row(one: QuestionFigures, code: int) -> dict[str, Any]:
    worker = one.workers[code]
    row: dict[str, Any] = {
        "worker": worker.name,
        "simulated": worker.simulated,
        "votes": worker.votes,
        "agreement": worker.agreement.value,
        "agreement_low": worker.agreement.low,
        "agreement_high": worker.agreement.high,
        "gold": worker.gold.value,
        "gold_votes": worker.gold.total,
        "median_seconds": worker.median_seconds,
        "flags": ", ".join(dict.fromkeys(flag.kind for flag in worker.flags)),
        "answers_show": str(worker.told),
        "next": str(worker.advice.next),
        "why": worker.advice.why,
    }
    names = one.data.votes.label_names
    if one.few_labels:
        for truth, answer, count in worker.confusion.pairs():
            row[f"{names[truth]} answered {names[answer]}"] = count
    return row


def _faces(one: QuestionFigures) -> pd.DataFrame:
    import pandas as pd

    votes, outcome = one.data.votes, one.data.outcome
    labels = np.array([*votes.label_names, None], dtype=object)
    return pd.DataFrame(
        {
            "face": np.array(votes.task_names, dtype=object),
            "status": _STATUS[outcome.status],
            "label": labels[outcome.label],
            "reason": np.array(outcome.reason, dtype=object),
            "posterior": outcome.posterior,
            "votes": np.bincount(votes.tasks, minlength=votes.n_tasks),
            "decided_by": np.array(outcome.decided_by, dtype=object),
        }
    )


def _reask(one: QuestionFigures) -> pd.DataFrame:
    """What to ask again: the rows of `faces` that are worth another vote, most to gain first."""
    frame = _faces(one).iloc[one.reask.tasks][["face", "status", "label", "posterior", "votes"]]
    return frame.assign(gain=np.round(one.reask.gain, 4)).reset_index(drop=True)


def _votes(one: QuestionFigures) -> pd.DataFrame:
    import pandas as pd

    votes = one.data.votes
    return pd.DataFrame(
        {
            "worker": np.array(votes.worker_names, dtype=object)[votes.workers],
            "face": np.array(votes.task_names, dtype=object)[votes.tasks],
            "label": np.array(votes.label_names, dtype=object)[votes.labels],
            "reason": np.array(one.data.reason, dtype=object),
            "seconds": one.data.seconds,
        }
    )
