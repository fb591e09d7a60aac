"""New studies: nobody is asked for more HITs than one person can do."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from galloway.mturk.marketplace.office.recruiting import Recruiting
from galloway.pipeline.errors import StageError
from galloway.pipeline.recruiting.studies import Terms, make_study, remove_study

from tests.support.marketplace import Bench, start_bench


@pytest.fixture
def bench(tmp_path: Path) -> Any:
    made = start_bench(tmp_path)
    yield made
    made.market.close()


def counter(bench: Bench, currency: str = "$", **batches: str) -> Any:
    """As much of a counter as a new study takes: batch → its group of HITs. The market's pay is in €."""
    ledger = SimpleNamespace(
        progress=lambda state_key, keys: [SimpleNamespace(group_id=batches[key], state_key="local") for key in keys],
        batch=lambda state_key, key: {"reward": Decimal("0.50")},
    )
    recruit = SimpleNamespace(currency=currency, floor=Decimal("1"))
    settings = SimpleNamespace(recruit=recruit, market=SimpleNamespace(currency="€"))
    app = SimpleNamespace(ledger=ledger, settings=settings)
    return SimpleNamespace(app=app, office=Recruiting(bench.market.store))


def terms(*batches: str, hits: int, **changes: Any) -> Terms:
    """A class that works on these batches."""
    about = {"key": "class", "profile": "link", "source": "classroom", "title": "Faces", "about": "", "contact": ""}
    money = {"reward": None, "fee_percent": Decimal(0), "budget": None}
    ways = {"open_link": False, "complete_url": "", "screened_url": "", "minutes": 5, "places": 0}
    return Terms(**{**about, **money, **ways, "batches": batches, "hits": hits, **changes})  # type: ignore[arg-type]


def group(bench: Bench, title: str, hits: int) -> str:
    """The id of a group of so many HITs for nine people each."""
    made = [bench.hit(Title=title, MaxAssignments=9) for _ in range(hits)]
    return str(made[0]["HITGroupId"])


def test_no_more_hits_a_person_than_there_are_different_ones(bench: Bench) -> None:
    mine = counter(bench, one=group(bench, "one", 2))
    with pytest.raises(StageError, match=r"2 different HITs are open in these batches.*--hits 2"):
        make_study(mine, terms("one", hits=5))
    assert mine.office.studies() == ()
    assert make_study(mine, terms("one", hits=2)).places == 9


def test_own_links_lead_to_all_batches_and_a_panels_link_to_one(bench: Bench) -> None:
    mine = counter(bench, one=group(bench, "one", 1), two=group(bench, "two", 3))
    with pytest.raises(StageError, match=r"1 different HIT is open in one of these batches.*--hits 1"):
        make_study(mine, terms("one", "two", hits=2, open_link=True))
    with pytest.raises(StageError, match=r"4 different HITs are.*--hits 4"):
        make_study(mine, terms("one", "two", hits=5))
    assert make_study(mine, terms("one", "two", hits=4)).hits == 4


def test_who_goes_through_all_batches_is_counted_over_all_of_them(bench: Bench) -> None:
    mine = counter(bench, **{name: group(bench, name, 1) for name in ("one", "two", "three")})
    assert make_study(mine, terms("one", "two", "three", hits=3)).places == 9
    assert make_study(mine, terms("one", "two", "three", hits=2, key="two-each")).places == 14
    assert make_study(mine, terms("one", "two", "three", hits=3, places=2, key="two-people")).places == 2


def test_a_panels_places_are_divided_as_said_and_each_batch_has_one(bench: Bench) -> None:
    mine = counter(bench, one=group(bench, "one", 4), two=group(bench, "two", 1))
    split = make_study(mine, terms("one", "two", hits=1, open_link=True, places=5)).groups
    assert [one.places for one in split] == [4, 1]
    with pytest.raises(StageError, match=r"2 groups of HITs.*at least 2 people"):
        make_study(mine, terms("one", "two", hits=1, open_link=True, places=1, key="few"))
    assert [study.key for study in mine.office.studies()] == ["class"]


@pytest.mark.parametrize("fee", ["NaN", "Infinity", "-5", "100.5"])
def test_a_fee_is_a_share_that_can_be_reckoned_with(bench: Bench, fee: str) -> None:
    mine = counter(bench, one=group(bench, "one", 2))
    with pytest.raises(StageError, match="--fee-percent"):
        make_study(mine, terms("one", hits=2, fee_percent=Decimal(fee)))
    assert mine.office.studies() == ()


@pytest.mark.parametrize(("setting", "currency"), [("", "€"), ("£", "£")])
def test_a_study_pays_in_what_its_market_does_unless_said(bench: Bench, setting: str, currency: str) -> None:
    mine = counter(bench, setting, one=group(bench, "one", 2))
    assert make_study(mine, terms("one", hits=2)).currency == currency


@pytest.mark.parametrize("open_link", [False, True])
def test_no_more_people_than_the_work_is_enough_for(bench: Bench, open_link: bool) -> None:
    mine = counter(bench, one=group(bench, "one", 2))
    with pytest.raises(StageError, match=r"With --hits 2 .* --places 9, and 10 were wanted"):
        make_study(mine, terms("one", hits=2, places=10, open_link=open_link))
    assert make_study(mine, terms("one", hits=2, places=9, open_link=open_link)).places == 9


def test_what_prolific_keeps_is_stopped_and_not_removed(bench: Bench) -> None:
    mine = counter(bench, one=group(bench, "one", 2))
    made = make_study(mine, terms("one", hits=2, profile="prolific", source="prolific"))
    mine.office.change_study(made.key, status="published")
    with pytest.raises(StageError, match=r"published at Prolific.*another name: galloway recruit stop class"):
        remove_study(mine, made.key)
    assert [study.key for study in mine.office.studies()] == ["class"]
