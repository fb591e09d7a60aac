"""The only caller of boto3's `mturk` client: every page, deterministic tokens, errors by TurkErrorCode."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from ...extras import require
from .errors import MarketUnreachable
from .markets import Market
from .money import amount, wire
from .pace import TokenBucket

__all__ = ["AssignmentInfo", "BonusInfo", "HitInfo", "HitRequest", "MTurkClient"]

_log = logging.getLogger(__name__)
_PAGE = 100
_REMOTE_RATE = 5.0
_SHAPES = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError)
"""What reading an answer raises that has another shape than the API's model: {}, [], cut JSON, a login page."""
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class HitRequest:
    """Everything that CreateHIT is sent. `token` is deterministic; `annotation` finds the HIT again."""

    title: str
    description: str
    keywords: str
    reward: Decimal
    max_assignments: int
    lifetime: timedelta
    duration: timedelta
    auto_approval_delay: timedelta
    question_xml: str
    annotation: str
    token: str
    qualifications: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class HitInfo:
    """A HIT as the market shows it."""

    hit_id: str
    hit_type_id: str
    group_id: str
    status: str
    annotation: str
    max_assignments: int
    available: int
    pending: int
    expires_at: datetime | None
    question_xml: str


@dataclass(frozen=True, slots=True)
class AssignmentInfo:
    """A submitted assignment as the market shows it; `status` is Submitted, Approved or Rejected."""

    assignment_id: str
    hit_id: str
    worker_id: str
    status: str
    answer_xml: str
    accepted_at: datetime
    submitted_at: datetime
    auto_approval_at: datetime | None
    feedback: str


@dataclass(frozen=True, slots=True)
class BonusInfo:
    """A bonus that was paid."""

    assignment_id: str
    worker_id: str
    amount: Decimal
    reason: str


class MTurkClient:
    """One requester on one market. Raises only MTurkErrors; a MarketUnreachable leaves open whether a call arrived.

    Without keys boto3's own chain (environment, ~/.aws) is asked. Endpoints on other machines get at most `rate`
    requests a second, retries and pages included. `boto` is a ready boto3 client to use instead of a new one.
    """

    def __init__(
        self,
        market: Market,
        access_key: str | None = None,
        secret_key: str | None = None,
        *,
        pace: TokenBucket | None = None,
        read_timeout: float = 60.0,
        boto: Any = None,
    ) -> None:
        if market.endpoint_url is None:
            raise MarketUnreachable(f"The market {market.name!r} is not running. Start it with: galloway market serve")
        self.market = market
        self._boto = boto or _connect(market, access_key, secret_key, read_timeout)
        self._pace = pace or (None if market.is_loopback else TokenBucket(_REMOTE_RATE))
        if self._pace is not None:
            # before-send sees every attempt, so that retries are paced too.
            self._boto.meta.events.register_first("before-send.mturk", self._before_send)
        if market.notice:
            _log.warning("%s", market.notice)

    def _before_send(self, **_: Any) -> None:
        if self._pace is not None:
            self._pace.wait()

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """Call a boto3 method by its name; its answer as botocore parsed it."""
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        from .refusals import translate

        try:
            answer: dict[str, Any] = getattr(self._boto, operation)(**params)
        except (BotoCoreError, ClientError) as error:
            raise translate(error, self.market, operation) from error
        except (ResponseParserError, *_SHAPES) as error:
            raise _strange(self.market, operation, error) from error
        if not isinstance(answer, dict):
            raise _strange(self.market, operation, TypeError(type(answer).__name__))
        return answer

    def _read(self, operation: str, make: Callable[[Any], _T], item: Any) -> _T:
        """`make(item)`, where the market's answer has the shape that its API promises."""
        try:
            return make(item)
        except _SHAPES as error:
            raise _strange(self.market, operation, error) from error

    def pages(self, operation: str, key: str, **params: Any) -> Iterator[dict[str, Any]]:
        """Every item under `key` of every page of a list operation."""
        token: str | None = None
        seen: set[str] = set()
        while True:
            more = {"NextToken": token} if token else {}
            answer = self.call(operation, MaxResults=_PAGE, **params, **more)
            if not isinstance(answer.get(key), list) and answer.get("NumResults") != 0:
                # An empty page has a list in it. Taken for "there are none", the same HITs would be made again.
                raise _strange(self.market, operation, KeyError(key))
            yield from answer.get(key) or ()
            token = answer.get("NextToken")
            if not token:
                return
            if token in seen:
                raise MarketUnreachable(
                    f"The market {self.market.name!r} sends {operation} in circles (a page token came twice). "
                    "Run the same command again; if it stays so, the market is broken."
                )
            seen.add(token)

    # -- money ------------------------------------------------------------------------------------------------

    def balance(self) -> Decimal:
        """What is available. Some sandboxes write "$10,000.00"."""
        return self._read("get_account_balance", _balance, self.call("get_account_balance"))

    # -- HITs -------------------------------------------------------------------------------------------------

    def create_hit(self, hit: HitRequest) -> HitInfo:
        """Make a HIT. Raises AlreadyExists (with `.hit_id`) where the token was used before."""
        params: dict[str, Any] = {
            "Title": hit.title,
            "Description": hit.description,
            "Keywords": hit.keywords,
            "Reward": wire(hit.reward),
            "MaxAssignments": hit.max_assignments,
            "LifetimeInSeconds": _seconds(hit.lifetime),
            "AssignmentDurationInSeconds": _seconds(hit.duration),
            "AutoApprovalDelayInSeconds": _seconds(hit.auto_approval_delay),
            "Question": hit.question_xml,
            "RequesterAnnotation": hit.annotation,
            "UniqueRequestToken": hit.token,
        }
        if hit.qualifications:
            params["QualificationRequirements"] = [dict(item) for item in hit.qualifications]
        return self._read("create_hit", _only_hit, self.call("create_hit", **params))

    def get_hit(self, hit_id: str) -> HitInfo:
        return self._read("get_hit", _only_hit, self.call("get_hit", HITId=hit_id))

    def list_hits(self) -> Iterator[HitInfo]:
        """Every HIT of the account that was not deleted."""
        return (self._read("list_hits", _hit, item) for item in self.pages("list_hits", "HITs"))

    def expire_hit(self, hit_id: str, at: datetime | None = None) -> None:
        """No worker can accept it any more (or not after `at`, which may also lie later than before)."""
        self.call("update_expiration_for_hit", HITId=hit_id, ExpireAt=at or datetime(1970, 1, 1, tzinfo=UTC))

    def add_assignments(self, hit_id: str, number: int, token: str) -> None:
        """So many more workers may answer it. Raises AlreadyExists where the token was used before."""
        self.call(
            "create_additional_assignments_for_hit",
            HITId=hit_id,
            NumberOfAdditionalAssignments=number,
            UniqueRequestToken=token,
        )

    def delete_hit(self, hit_id: str) -> None:
        self.call("delete_hit", HITId=hit_id)

    # -- assignments ------------------------------------------------------------------------------------------

    def list_assignments(self, hit_id: str) -> Iterator[AssignmentInfo]:
        """Every submitted assignment of a HIT, whatever became of it."""
        operation = "list_assignments_for_hit"
        found = self.pages(operation, "Assignments", HITId=hit_id)
        return (self._read(operation, _assignment, item) for item in found)

    def get_assignment(self, assignment_id: str) -> AssignmentInfo:
        answer = self.call("get_assignment", AssignmentId=assignment_id)
        return self._read("get_assignment", lambda found: _assignment(found["Assignment"]), answer)

    def approve(self, assignment_id: str, feedback: str = "", *, override_rejection: bool = False) -> None:
        params: dict[str, Any] = {"AssignmentId": assignment_id, "OverrideRejection": override_rejection}
        if feedback:
            params["RequesterFeedback"] = feedback
        self.call("approve_assignment", **params)

    def reject(self, assignment_id: str, reason: str) -> None:
        self.call("reject_assignment", AssignmentId=assignment_id, RequesterFeedback=reason)

    def send_bonus(self, worker_id: str, assignment_id: str, bonus: Decimal, reason: str, token: str) -> None:
        """Pay a bonus. Raises AlreadyExists where the token was used before."""
        self.call(
            "send_bonus",
            WorkerId=worker_id,
            AssignmentId=assignment_id,
            BonusAmount=wire(bonus),
            Reason=reason,
            UniqueRequestToken=token,
        )

    def list_bonuses(self, assignment_id: str) -> Iterator[BonusInfo]:
        """Every bonus that was paid for an assignment."""
        for item in self.pages("list_bonus_payments", "BonusPayments", AssignmentId=assignment_id):
            yield self._read("list_bonus_payments", _bonus, item)


def _connect(market: Market, access_key: str | None, secret_key: str | None, read_timeout: float) -> Any:
    require("boto3")
    import boto3
    from botocore.config import Config

    local = market.is_loopback
    config = Config(
        connect_timeout=5 if local or market.is_aws else 15,
        read_timeout=read_timeout,
        retries={"mode": "standard" if local else "adaptive", "total_max_attempts": 3 if local else 6},
        proxies={} if local else None,
        max_pool_connections=2,
    )
    return boto3.client(
        "mturk",
        region_name=market.region,
        endpoint_url=market.endpoint_url,
        aws_access_key_id=access_key,
        aws_secret_access_key=secret_key,
        config=config,
    )


def _seconds(span: timedelta) -> int:
    return int(span.total_seconds())


def _strange(market: Market, operation: str, cause: BaseException) -> MarketUnreachable:
    """The error for an answer that is none of the API: whether the call was done is open."""
    return MarketUnreachable(
        f"{market.endpoint_url} answered {operation} with something that is no answer of MTurk's API "
        f"({type(cause).__name__}: {str(cause)[:100]}). Look whether a login page stands between (a hotel's network), "
        "and check market.name in galloway.toml. Then run the same command again: it looks at the market before it "
        "sends anything twice."
    )


def _balance(answer: Mapping[str, Any]) -> Decimal:
    return Decimal(str(answer["AvailableBalance"]).replace("$", "").replace(",", ""))


def _only_hit(answer: Mapping[str, Any]) -> HitInfo:
    return _hit(answer["HIT"])


def _bonus(item: Mapping[str, Any]) -> BonusInfo:
    paid = amount(str(item["BonusAmount"]))
    return BonusInfo(str(item["AssignmentId"]), str(item["WorkerId"]), paid, str(item.get("Reason", "")))


def _hit(item: Mapping[str, Any]) -> HitInfo:
    return HitInfo(
        hit_id=str(item["HITId"]),
        hit_type_id=str(item.get("HITTypeId", "")),
        group_id=str(item.get("HITGroupId", "")),
        status=str(item.get("HITStatus", "")),
        annotation=str(item.get("RequesterAnnotation", "")),
        max_assignments=int(item.get("MaxAssignments", 1)),
        available=int(item.get("NumberOfAssignmentsAvailable", 0)),
        pending=int(item.get("NumberOfAssignmentsPending", 0)),
        expires_at=_utc(item.get("Expiration")),
        question_xml=str(item.get("Question", "")),
    )


def _assignment(item: Mapping[str, Any]) -> AssignmentInfo:
    accepted, submitted = _utc(item.get("AcceptTime")), _utc(item.get("SubmitTime"))
    never = datetime(1970, 1, 1, tzinfo=UTC)
    return AssignmentInfo(
        assignment_id=str(item["AssignmentId"]),
        hit_id=str(item["HITId"]),
        worker_id=str(item["WorkerId"]),
        status=str(item["AssignmentStatus"]),
        answer_xml=str(item.get("Answer", "")),
        accepted_at=accepted or submitted or never,
        submitted_at=submitted or accepted or never,
        auto_approval_at=_utc(item.get("AutoApprovalTime")),
        feedback=str(item.get("RequesterFeedback", "")),
    )


def _utc(value: datetime | None) -> datetime | None:
    return None if value is None else value.astimezone(UTC)
