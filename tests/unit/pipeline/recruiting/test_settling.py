"""Settling again and again: a moment's hindrance is said and waited out, anything else ends it."""

from __future__ import annotations

import pytest
from galloway.mturk.requester.errors import BudgetExceeded, PanelDoubt, PanelUnreachable
from galloway.pipeline.errors import WorkspaceBusy
from galloway.pipeline.recruiting.paying import settle_again


def test_a_busy_workspace_and_a_silent_panel_end_nothing() -> None:
    hindrances = [WorkspaceBusy("collecting"), None, PanelUnreachable("no way"), PanelDoubt("no answer"), None]
    left, said = iter(hindrances), []

    def look() -> None:
        if (error := next(left)) is not None:
            raise error

    def pause(why: str) -> bool:
        said.append(why)
        return len(said) < len(hindrances)

    settle_again(look, pause)
    assert said == ["collecting", "", "no way", "no answer", ""]


def test_a_budget_that_is_spent_ends_it() -> None:
    def look() -> None:
        raise BudgetExceeded("too dear")

    with pytest.raises(BudgetExceeded):
        settle_again(look, lambda why: True)
