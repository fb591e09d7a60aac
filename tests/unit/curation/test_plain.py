"""Texts of others in messages: one line, and paths as a shell takes them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from galloway.curation.plain import one_line, typed
from hypothesis import example, given, settings
from hypothesis import strategies as st

BASH = shutil.which("bash")
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), min_size=1, max_size=30)


@pytest.mark.skipif(BASH is None, reason="needs bash")
@settings(max_examples=40, deadline=None)
@given(NAMES)
@example("-rf")
@example("a'b\\ $HOME `x` 100%\n\tc.mp4")
@example("\x1b[31m'red'\u202e")
@example(os.fsdecode(b"caf\xe9.mp4"))
def test_a_path_is_typed_so_that_a_shell_gives_it_back(name: str) -> None:
    words = typed(Path(name))
    assert one_line(words) == words
    assert not words.startswith("-")
    command = [str(BASH), "-c", f"printf '%s\\0' {words}"]
    got = subprocess.run(command, capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}).stdout
    assert Path(os.fsdecode(got[:-1])) == Path(name)
