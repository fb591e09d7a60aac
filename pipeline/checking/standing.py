"""What follows for a worker, through the market's own qualifications: a score on known faces, no more pages, in again.

*No more pages* is a qualification that every page excludes. It takes no pay, rejects nothing, and leaves the approval
rate and the account as they are, unlike a block. The worker reads why in words, and answers by asking for the other
qualification, *let me in again*; whoever decides writes back. All of it lives at the market, so it holds for everything
that this requester publishes there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ...mturk.requester.answers import parse_answer
from ...mturk.requester.client import MTurkClient
from ...mturk.requester.errors import BadAnswer, RequestRefused
from ...mturk.requester.workers import (
    accept_request,
    create_qualification,
    find_qualification,
    grant,
    notify,
    pseudonym,
    qualified,
    refuse_request,
    requests_for,
    revoke,
)
from ..app import App
from ..errors import NothingToDo, StageError
from ..market.pictures import hosting_secret
from ..market.session import MarketSession
from ..workspace.acts import note_act
from ..workspace.figures import keep_figure, kept_figure
from .crew import crew

__all__ = [
    "Appeal",
    "AppealsPage",
    "answer_appeal",
    "appeals",
    "keep_appeals",
    "kept_appeals",
    "let_in",
    "not_stopped",
    "note_scores",
    "requirements",
    "stop",
    "stopped",
]

_STOPPED = "Galloway: no more pages for now"
_STOPPED_WORDS = (
    "Who has this gets no more pages from this requester for now. All that was handed in is paid. The message that "
    "came with it says why. To answer, ask for the qualification “Galloway: let me in again”."
)
_AGAIN = "Galloway: let me in again"
_AGAIN_WORDS = (
    "For who has “Galloway: no more pages for now”: say here what we did not see. A person reads it and answers."
)
_TEST = (
    '<QuestionForm xmlns="http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2017-11-06/QuestionForm.xsd">'
    "<Question><QuestionIdentifier>said</QuestionIdentifier><DisplayName>Your answer</DisplayName>"
    "<IsRequired>true</IsRequired><QuestionContent><Text>What should we know? A person reads this.</Text>"
    "</QuestionContent><AnswerSpecification><FreeTextAnswer><Constraints>"
    '<Length minLength="1" maxLength="2000"/></Constraints><NumberOfLinesSuggestion>6</NumberOfLinesSuggestion>'
    "</FreeTextAnswer></AnswerSpecification></Question></QuestionForm>"
)
_HOUR = 3600
_KEPT = "appeals"


@dataclass(frozen=True, slots=True)
class Appeal:
    """A worker's answer to having been stopped: under a pseudonym, in the worker's words."""

    worker: str
    request_id: str
    text: str
    sent_at: datetime


def requirements(app: App, session: MarketSession) -> list[Mapping[str, Any]]:
    """What every page asks of who takes it: not to have been stopped and, where `[gold] require` says so, a score."""
    asked = [not_stopped(session)]
    if app.settings.gold.require:
        asked.append(
            {
                "QualificationTypeId": _score_type(app, session.client),
                "Comparator": "GreaterThanOrEqualTo",
                "IntegerValues": [app.settings.gold.require],
                "ActionsGuarded": "PreviewAndAccept",
            }
        )
    return asked


def not_stopped(session: MarketSession) -> Mapping[str, Any]:
    """The requirement that nobody takes a page who gets no more of them."""
    return {
        "QualificationTypeId": create_qualification(session.client, _STOPPED, _STOPPED_WORDS),
        "Comparator": "DoesNotExist",
        "ActionsGuarded": "DiscoverPreviewAndAccept",
    }


def _score_type(app: App, client: MTurkClient) -> str:
    name = f"galloway {app.settings.id} known faces right in a hundred"
    return create_qualification(
        client, name, "Of faces whose answer was known already, so many in a hundred were right."
    )


def note_scores(app: App, session: MarketSession) -> int:
    """Give each worker the score on ten known faces or more as a qualification, and change it where it is another now;
    how many were written. Without such workers nothing is asked of the market."""
    known = _workers(app, session)
    scores = {known[line.name]: line.score for line in crew(app) if line.score is not None and line.name in known}
    if not scores:
        return 0
    kind = _score_type(app, session.client)
    held = {item.worker_id: item.value for item in qualified(session.client, kind)}
    changed = {worker: score for worker, score in scores.items() if held.get(worker) != score}
    for worker, score in changed.items():
        try:
            grant(session.client, kind, worker, score)
        except RequestRefused:
            # Erased since, or of another market: there is nobody to give it to.
            if worker in held:
                raise
    return len(changed)


def stop(app: App, session: MarketSession, name: str, reason: str = "") -> str:
    """The worker with this pseudonym gets no more of our pages and reads why; the words. Nothing is rejected.

    Without a `reason` the words are those of what was noticed. Raises StageError where there is none, NothingToDo where
    that stands already.
    """
    worker = _worker(app, session, name)
    line = next((one for one in crew(app) if one.name == name.upper()), None)
    why = reason.strip() or (line.told if line is not None else "")
    if not why:
        raise StageError(f"Nothing was noticed of {name}, and the worker must read why. Say it: --reason WORDS")
    kind = create_qualification(session.client, _STOPPED, _STOPPED_WORDS)
    if worker in {item.worker_id for item in qualified(session.client, kind)}:
        raise NothingToDo(f"{name} gets no more pages already.")
    again = _again_type(session.client)
    if worker in {item.worker_id for item in qualified(session.client, again)}:
        revoke(session.client, again, worker, "It was used.")
    grant(session.client, kind, worker)
    notify(session.client, [worker], "No more pages from us for now", _message(why))
    note_act(app.workspace, "worker", f"{name.upper()} gets no more pages")
    return why


def _message(why: str) -> str:
    return (
        f"You get no more pages from us for now. {why}\n\nAll that you handed in is paid; nothing was rejected, and "
        "your account and your approval rate stay as they are. If we are wrong, say so: ask for the qualification "
        f"“{_AGAIN}”, which you find under Qualifications. A person reads what you write there and answers."
    )


def let_in(app: App, session: MarketSession, name: str, words: str = "") -> None:
    """The worker gets our pages again. Raises NothingToDo where nobody stopped them."""
    worker = _worker(app, session, name)
    kind = create_qualification(session.client, _STOPPED, _STOPPED_WORDS)
    if worker not in {item.worker_id for item in qualified(session.client, kind)}:
        raise NothingToDo(f"{name} gets pages already.")
    said = words.strip() or "You get our pages again."
    revoke(session.client, kind, worker, said[:1024])
    notify(session.client, [worker], "You get our pages again", said[:4096])
    note_act(app.workspace, "worker", f"{name.upper()} gets pages again")


def stopped(app: App, session: MarketSession) -> list[str]:
    """The pseudonyms of those who get no more pages."""
    kind = find_qualification(session.client, _STOPPED)
    if kind is None:
        return []
    secret = hosting_secret(app.workspace.root)
    return sorted(pseudonym(item.worker_id, secret) for item in qualified(session.client, kind))


def appeals(app: App, session: MarketSession) -> list[Appeal]:
    """What stopped workers wrote and nobody has answered yet."""
    kind = find_qualification(session.client, _AGAIN)
    if kind is None:
        return []
    secret = hosting_secret(app.workspace.root)
    return [
        Appeal(pseudonym(item.worker_id, secret), item.request_id, _text(item.answer), item.sent_at)
        for item in requests_for(session.client, kind)
    ]


@dataclass(frozen=True, slots=True)
class AppealsPage:
    """What stopped workers had written when the market was asked last."""

    appeals: list[Appeal]
    as_of: datetime


def keep_appeals(app: App, session: MarketSession) -> int:
    """Ask the market what stopped workers wrote, and keep it for the pages; how many wait for an answer."""
    found = appeals(app, session)
    body = [{**asdict(item), "sent_at": item.sent_at.isoformat()} for item in found]
    keep_figure(app.workspace, _KEPT, "", body)
    return len(found)


def kept_appeals(app: App) -> AppealsPage | None:
    """What `keep_appeals` kept; None where nobody asked the market yet."""
    kept = kept_figure(app.workspace, _KEPT)
    if kept is None:
        return None
    known = [Appeal(**{**item, "sent_at": datetime.fromisoformat(item["sent_at"])}) for item in kept.body]
    return AppealsPage(known, kept.made_at)


def answer_appeal(app: App, session: MarketSession, name: str, *, again: bool, words: str) -> None:
    """Let the worker in `again`, or not, with an answer in `words`. Raises StageError where nothing was written."""
    found = [item for item in appeals(app, session) if item.worker == name.upper()]
    if not found:
        raise StageError(f"{name} has written nothing that waits for an answer. See: galloway worker appeals")
    if not words.strip():
        raise StageError("The worker reads your answer, so there has to be one: --answer WORDS")
    for item in found:
        if again:
            accept_request(session.client, item.request_id)
        else:
            refuse_request(session.client, item.request_id, words.strip()[:1024])
    if again:
        let_in(app, session, name, words)
    else:
        notify(session.client, [_worker(app, session, name)], "Your question about our pages", words.strip()[:4096])
        note_act(app.workspace, "worker", f"{name.upper()} was answered and gets no pages")


def _again_type(client: MTurkClient) -> str:
    return create_qualification(client, _AGAIN, _AGAIN_WORDS, test=_TEST, seconds=_HOUR)


def _text(answer: str) -> str:
    try:
        return parse_answer(answer).get("said", "")
    except BadAnswer:
        return ""


def _workers(app: App, session: MarketSession) -> dict[str, str]:
    """Pseudonym → the market's id of everybody who did work for us there."""
    secret = hosting_secret(app.workspace.root)
    ids: Iterable[str] = {row["worker_id"] for row in app.ledger.assignments(session.market.state_key)}
    return {pseudonym(worker, secret): worker for worker in ids}


def _worker(app: App, session: MarketSession, name: str) -> str:
    found = _workers(app, session).get(name.upper())
    if found is None:
        raise StageError(
            f"No worker {name} did work for us on the market {session.market.name}. See: galloway worker list"
        )
    return found
