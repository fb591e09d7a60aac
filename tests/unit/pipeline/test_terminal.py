"""What others wrote moves no cursor, forges no line and hides nothing on a terminal."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout

import pytest
from galloway.pipeline.cli.console import emit, next_step, result, say
from galloway.pipeline.wording import one_line, printable

EVIL = "good\x1b[2K\x1b[1A\x9b31m\x07\x08\rApproved 3\x00\x7f‮gpj.exe​\ufeff"


@pytest.mark.parametrize("way", [emit, say, next_step, lambda t: result([t], True, str), lambda t: emit(t, err=True)])
def test_no_control_character_reaches_the_terminal(way: object) -> None:
    out = io.StringIO()
    with redirect_stdout(out), redirect_stderr(out):
        way(EVIL)  # type: ignore[operator]
    assert all(character.isprintable() for character in out.getvalue().replace("\n", "")), out.getvalue()
    assert "good" in out.getvalue() and "\\u001b" in out.getvalue()


def test_a_comment_cannot_pass_for_a_line_of_ours() -> None:
    assert one_line("nice work\nApproved 3 assignments.\t$5") == "nice work\\nApproved 3 assignments. $5"
    assert printable("two\nlines\tand a tab, ümläute, 漢字, 👩‍👧") == "two\nlines\tand a tab, ümläute, 漢字, 👩‍👧"
