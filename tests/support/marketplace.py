"""A marketplace in the test's own process: unmodified boto3 against the WSGI app, a clock that tests move.

Requests are signed and parsed by botocore as always; only the socket is missing. Every request and every response is
checked against botocore's own service model.
"""

from __future__ import annotations

import dataclasses
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.awsrequest
import sqlalchemy as sa
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import OperationModel, Shape
from galloway.mturk.marketplace.app import MarketConfig, Marketplace, add_requester
from galloway.mturk.marketplace.desk.values import Session

__all__ = [
    "HTML",
    "QUESTION_FORM",
    "Bench",
    "FakeClock",
    "call_wsgi",
    "external_question",
    "fails",
    "hit_id_in",
    "html_question",
    "mturk_client",
    "start_bench",
]

START = datetime(2026, 11, 22, 7, 0, tzinfo=UTC)
SCHEMAS = "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas"
HTML = "<form action='https://www.mturk.com/mturk/externalSubmit'><input name='face.k1'></form>"
QUESTION_FORM = (
    f'<QuestionForm xmlns="{SCHEMAS}/2017-11-06/QuestionForm.xsd">'
    "<Overview><Title>Three questions</Title><Text>Please answer.</Text></Overview>"
    "<Question><QuestionIdentifier>colour</QuestionIdentifier><IsRequired>true</IsRequired>"
    "<QuestionContent><Text>Which colours?</Text></QuestionContent>"
    "<AnswerSpecification><SelectionAnswer><MinSelectionCount>1</MinSelectionCount>"
    "<MaxSelectionCount>2</MaxSelectionCount><StyleSuggestion>checkbox</StyleSuggestion><Selections>"
    "<Selection><SelectionIdentifier>red</SelectionIdentifier><Text>Red</Text></Selection>"
    "<Selection><SelectionIdentifier>blue</SelectionIdentifier><Text>Blue</Text></Selection>"
    "<OtherSelection/></Selections></SelectionAnswer></AnswerSpecification></Question>"
    "<Question><QuestionIdentifier>age</QuestionIdentifier><QuestionContent><Text>How old?</Text></QuestionContent>"
    "<AnswerSpecification><FreeTextAnswer><Constraints><IsNumeric minValue='1' maxValue='120'/></Constraints>"
    "</FreeTextAnswer></AnswerSpecification></Question></QuestionForm>"
)


def html_question(html: str = HTML, height: int = 0) -> str:
    """HTMLQuestion XML."""
    return (
        f'<HTMLQuestion xmlns="{SCHEMAS}/2011-11-11/HTMLQuestion.xsd"><HTMLContent><![CDATA[{html}]]></HTMLContent>'
        f"<FrameHeight>{height}</FrameHeight></HTMLQuestion>"
    )


def external_question(url: str) -> str:
    """ExternalQuestion XML; `url` is put in as it is."""
    return (
        f'<ExternalQuestion xmlns="{SCHEMAS}/2006-07-14/ExternalQuestion.xsd"><ExternalURL>{url}</ExternalURL>'
        "<FrameHeight>400</FrameHeight></ExternalQuestion>"
    )


class FakeClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        """Move on: `forward(days=30)`."""
        self.now += timedelta(**by)


def call_wsgi(
    app: Callable[..., Any], method: str, url: str, headers: dict[str, str], body: bytes
) -> tuple[int, dict[str, str], bytes]:
    """(status, headers, body) of one request to a WSGI app."""
    parts = urlsplit(url)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": parts.path or "/",
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": parts.netloc,
        "wsgi.url_scheme": parts.scheme,
        "SERVER_NAME": parts.hostname or "",
        "SERVER_PORT": str(parts.port or 80),
        "wsgi.input": io.BytesIO(body),
    }
    environ.update({f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()})
    answer: dict[str, Any] = {}

    def start_response(status: str, found: Sequence[tuple[str, str]]) -> None:
        answer.update(status=int(status.split()[0]), headers=dict(found))

    content = b"".join(app(environ, start_response))
    return answer["status"], answer["headers"], content


def check_output(shape: Shape, value: Any, path: str = "") -> None:
    """AssertionError unless the JSON value is what the model says, without a member more."""
    kind = shape.type_name
    if kind == "structure":
        unknown = set(value) - set(shape.members)
        assert not unknown, f"{path}: {unknown} are not in the model"
        for name, member in shape.members.items():
            if name in value:
                check_output(member, value[name], f"{path}.{name}")
            else:
                assert name not in shape.required_members, f"{path}.{name} is missing"
    elif kind == "list":
        for index, item in enumerate(value):
            check_output(shape.member, item, f"{path}[{index}]")
    elif kind == "string":
        assert isinstance(value, str), path
        assert value in shape.metadata.get("enum", [value]), f"{path}: {value}"
    elif kind in ("integer", "long"):
        assert isinstance(value, int) and not isinstance(value, bool), path
    elif kind == "boolean":
        assert isinstance(value, bool), path
    elif kind == "timestamp":
        assert isinstance(value, float), path


def mturk_client(app: Callable[..., Any], key: str, secret: str, *, url: str = "http://market.test") -> Any:
    """boto3's mturk client, whose requests go into the WSGI app instead of a socket."""
    client = boto3.client(
        "mturk",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}),
    )
    models: dict[str, OperationModel] = {
        name: client.meta.service_model.operation_model(name) for name in client.meta.service_model.operation_names
    }

    def send(request: Any, **_: Any) -> Any:
        headers = {
            name.lower(): value.decode() if isinstance(value, bytes) else value
            for name, value in request.headers.items()
        }
        body = request.body if isinstance(request.body, bytes) else (request.body or "").encode()
        status, answered, content = call_wsgi(app, request.method, request.url, headers, body)
        model = models[headers["x-amz-target"].split(".")[1]]
        if status == 200 and model.output_shape is not None:
            check_output(model.output_shape, json.loads(content), model.name)
        raw = type("Raw", (io.BytesIO,), {"stream": lambda self, **_: iter([content])})(content)
        return botocore.awsrequest.AWSResponse(request.url, status, answered, raw)

    client.meta.events.register("before-send", send)
    return client


@contextmanager
def fails(code: str, words: str = "") -> Iterator[dict[str, Any]]:
    """The block must raise a ClientError with this TurkErrorCode (without AWS.MechanicalTurk.) or Error.Code.

    The dict that is yielded gets the parsed error response.
    """
    found: dict[str, Any] = {}
    try:
        yield found
    except ClientError as error:
        found.update(error.response)
        turk = error.response.get("TurkErrorCode", "")
        names = (turk.rpartition(".")[2], error.response["Error"]["Code"])
        assert code in names, error.response
        assert words in error.response["Error"]["Message"], error.response["Error"]["Message"]
        return
    raise AssertionError(f"nothing was refused; {code} was expected")


@dataclasses.dataclass
class Bench:
    """One marketplace with one requester, and what tests do with it."""

    market: Marketplace
    clock: FakeClock
    client: Any
    key: str
    secret: str

    @property
    def work(self) -> Any:
        """The worker-side use cases."""
        return self.market.work

    def requester(self, name: str) -> Any:
        """A boto3 client of another requester."""
        return mturk_client(self.market.api_wsgi, *add_requester(self.market.store, name))

    def worker(self, name: str = "ann", **about: str) -> str:
        """The id of a new worker."""
        session: Session = self.work.join(self.work.invite().token, name=name, password="correct horse", **about)
        return session.worker.worker_id

    def hit(self, client: Any = None, **changes: Any) -> dict[str, Any]:
        """A new HIT."""
        parameters = {
            "Title": "Keep or reject faces",
            "Description": "Look at 24 faces.",
            "Keywords": "faces, images",
            "Reward": "0.15",
            "LifetimeInSeconds": 3600,
            "AssignmentDurationInSeconds": 600,
            "MaxAssignments": 3,
            "Question": html_question(),
            **changes,
        }
        made: dict[str, Any] = (client or self.client).create_hit(
            **{name: value for name, value in parameters.items() if value is not None}
        )["HIT"]
        return made

    def done(self, hit_id: str, worker_id: str, **answers: str) -> str:
        """The id of an assignment that the worker accepted and submitted."""
        held = self.work.accept(worker_id, hit_id=hit_id)
        sent = self.work.submit(held.assignment_id, list((answers or {"q": "yes"}).items()))
        return str(sent.assignment_id)

    def status(self, hit_id: str) -> tuple[str, int, int, int]:
        """(status, available, pending, completed) of a HIT."""
        hit = self.client.get_hit(HITId=hit_id)["HIT"]
        return (
            hit["HITStatus"],
            hit["NumberOfAssignmentsAvailable"],
            hit["NumberOfAssignmentsPending"],
            hit["NumberOfAssignmentsCompleted"],
        )


def start_bench(folder: Path, *, database_url: str = "", requester: str = "Ada", **settings: Any) -> Bench:
    """A marketplace in `folder`, with a requester (unless "") and a clock that stands still."""
    clock = FakeClock()
    config = MarketConfig(
        state_dir=folder,
        database_url=database_url,
        clock=clock,
        api_port=8000,
        worker_port=8001,
        frame_port=8002,
        # botocore signs with the machine's clock, the marketplace lives by the test's.
        **{"clock_skew_seconds": 10**10, **settings},
    )
    if database_url:
        empty(database_url)
    market = Marketplace(config)
    if not requester:
        return Bench(market, clock, None, "", "")
    key, secret = add_requester(market.store, requester)
    return Bench(market, clock, mturk_client(market.api_wsgi, key, secret), key, secret)


def empty(url: str) -> None:
    """Take everything out of a shared database, so that a marketplace with another key may begin there."""
    from galloway.mturk.marketplace.store.columns import metadata

    engine = sa.create_engine(url)
    with engine.begin() as connection:
        there = set(sa.inspect(connection).get_table_names())
        names = [table.name for table in metadata.sorted_tables if table.name in there]
        if names:
            connection.exec_driver_sql("; ".join(f'DELETE FROM "{name}"' for name in names))
    engine.dispose()


def hit_id_in(message: str) -> str:
    """The HITId that a careful client reads out of an "already exists" message."""
    match = re.search(r"\b3[A-Z0-9]{29}\b", message)
    assert match is not None
    return match[0]
