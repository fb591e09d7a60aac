"""Delivers the outbox: SQS and SNS through boto3, signed https webhooks. At least once, in no promised order.

A webhook is `POST` with the notification's JSON and the header `X-Galloway-Signature: t=<seconds>,v1=<hex>`, where v1
is HMAC-SHA256 over `<seconds>.<body>` with the requester's newest secret key. Webhooks reach public addresses only: the
name is resolved once, every address is checked, and the connection goes to the address that was checked.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import logging
import re
import socket
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

import sqlalchemy as sa

from .config import MarketConfig
from .rules.notifications import is_queue, public_address
from .store import Store, one, rows
from .store.sealed import Unsealable, unseal
from .store.tables import access_key, outbox
from .store.transactions import Row

__all__ = ["Courier", "NotDelivered", "Sender", "send"]

_LOG = logging.getLogger(__name__)
_BATCH = 20
_LEASE_MS = 60_000
_MOST_ATTEMPTS = 12
_TIMEOUT = 10
_LONGEST_WAIT_MS = 3_600_000


class NotDelivered(Exception):
    """The destination did not take a notification; the text is shown to the operator."""


Sender = Callable[[MarketConfig, Row, str], None]
"""Sends one outbox row; the third argument is the secret that signs webhooks. Raises NotDelivered."""


class Courier:
    """Takes what is due out of the outbox and sends it, outside any transaction."""

    def __init__(self, store: Store, sender: Sender | None = None) -> None:
        self._store = store
        self.sender: Sender = send if sender is None else sender

    def deliver(self) -> int:
        """Send what is due; returns how many notifications arrived."""
        arrived = 0
        for row, key in self._claim():
            try:
                self.sender(self._store.config, row, self._secret(key))
            except NotDelivered as error:
                self._settle(row, str(error))
            else:
                self._settle(row, "")
                arrived += 1
        return arrived

    def _secret(self, key: Row) -> str:
        try:
            return unseal(self._store.key, key["access_key"], key["secret"])
        except Unsealable as error:  # unsigned it would not be ours
            raise NotDelivered(str(error)) from error

    def _claim(self) -> list[tuple[Row, Row]]:
        """Due rows and the key that signs each, put off by a minute so that another process does not send them too."""
        waiting = sa.select(outbox).where(outbox.c.state == "Waiting")
        with self._store.read() as tx:
            if one(tx, waiting.where(outbox.c.next_at <= tx.now).limit(1)) is None:
                return []
        with self._store.write() as tx:
            due = rows(tx, waiting.where(outbox.c.next_at <= tx.now).order_by(outbox.c.seq).limit(_BATCH))
            tx.conn.execute(
                outbox.update()
                .where(outbox.c.seq.in_([row["seq"] for row in due]))
                .values(next_at=tx.now + _LEASE_MS, attempts=outbox.c.attempts + 1)
            )
            keys = {
                row["requester_id"]: row
                for row in rows(
                    tx,
                    sa.select(access_key)
                    .where(access_key.c.requester_id.in_({item["requester_id"] for item in due}))
                    .order_by(access_key.c.created_at),
                )
            }
        return [(row, keys[row["requester_id"]]) for row in due]

    def _settle(self, row: Row, error: str) -> None:
        attempts = row["attempts"] + 1
        mine = outbox.c.seq == row["seq"]
        with self._store.write() as tx:
            if not error:
                tx.conn.execute(outbox.delete().where(mine))
                return
            _LOG.warning("a notification was not delivered", extra={"event_doc_id": row["id"]})
            wait = min(_LONGEST_WAIT_MS, 5000 * 2 ** (attempts - 1))
            state = "Failed" if attempts >= _MOST_ATTEMPTS else "Waiting"
            values = {"state": state, "last_error": error[:500], "next_at": tx.now + wait}
            tx.conn.execute(outbox.update().where(mine).values(values))


def send(config: MarketConfig, row: Row, secret: str) -> None:
    """Send one notification over its transport. Raises NotDelivered."""
    if row["transport"] == "SNS" or is_queue(row["destination"], config.aws_endpoint_url):
        _to_aws(config, row)
    else:
        _to_webhook(config, row["destination"], row["body"], secret)


def _to_aws(config: MarketConfig, row: Row) -> None:
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    transport, destination, body = row["transport"], row["destination"], row["body"]
    found = re.search(r"(?:arn:aws[a-z-]*:sns:|//sqs\.)([a-z0-9-]+)", destination)
    region = found[1] if found else "us-east-1"
    options = Config(connect_timeout=_TIMEOUT, read_timeout=_TIMEOUT, retries={"max_attempts": 1})
    endpoint = config.aws_endpoint_url or None
    try:
        # By its EventDocId: a queue or topic that does not tell messages apart by their content takes none without.
        fifo = {"MessageGroupId": "mturk", "MessageDeduplicationId": row["id"]} if destination.endswith(".fifo") else {}
        if transport == "SNS":
            topics = boto3.client("sns", endpoint_url=endpoint, region_name=region, config=options)
            topics.publish(TopicArn=destination, Message=body, **fifo)
            return
        queues = boto3.client("sqs", endpoint_url=endpoint, region_name=region, config=options)
        queues.send_message(QueueUrl=destination, MessageBody=body, **fifo)
    except (BotoCoreError, ClientError) as error:
        raise NotDelivered(f"{transport}: {error}") from error


def _address(config: MarketConfig, host: str, port: int) -> str:
    """The one address to connect to. Raises NotDelivered for a private one that is not allowed by name."""
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise NotDelivered(f"{host} cannot be resolved: {error}") from error
    if host not in config.webhook_hosts and not all(public_address(address) for address in found):
        raise NotDelivered(f"{host} is an address of this network; the operator has not allowed it.")
    return found[0]


def _to_webhook(config: MarketConfig, url: str, body: str, secret: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and host not in config.webhook_hosts:
        raise NotDelivered("A webhook must begin with https://.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    address = _address(config, host, port)
    stamp = str(int(config.clock().timestamp()))
    mac = hmac.new(secret.encode(), f"{stamp}.{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Host": parts.netloc,
        "Content-Type": "application/json",
        "X-Galloway-Signature": f"t={stamp},v1={mac}",
    }
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT)
        connection.sock = socket.create_connection((address, port), _TIMEOUT)
        if parts.scheme == "https":
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
        try:
            connection.request("POST", target, body.encode(), headers)
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotDelivered(f"{host}: {error}") from error
    if not 200 <= status < 300:
        raise NotDelivered(f"{host} answered {status}; redirects are not followed.")
