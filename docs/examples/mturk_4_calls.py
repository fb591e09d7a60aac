"""Single calls, questions and answers.

`MTurkClient` is the only caller of boto3's `mturk`: every list is read through all its pages, and refusals are errors
that say what to do.
"""

# Names: HitRequest HitInfo AssignmentInfo BonusInfo external_question parse_answer cancel CancelResult MTurkError
# Names: MarketUnreachable RequestRefused DoesNotExist AlreadyExists WrongState QuestionTooLarge BadAnswer
# Names: LedgerError

from pathlib import Path

from galloway.mturk import (
    DoesNotExist,
    MarketConfig,
    MTurkClient,
    RunningMarketplace,
    add_requester,
    external_question,
    parse_answer,
    resolve_market,
)

print(external_question("https://tasks.example.org/one")[:60])
answer = Path("answer.xml").read_text(encoding="utf-8")
print(parse_answer(answer))
with RunningMarketplace(MarketConfig(state_dir=Path("market"))) as running:
    keys = add_requester(running.market.store, "me")
    client = MTurkClient(resolve_market("local", local_endpoint=running.addresses.api), *keys)
    print(client.balance(), list(client.list_hits()))
    try:
        client.get_hit("3" + "A" * 29)
    except DoesNotExist as error:
        print(error)
