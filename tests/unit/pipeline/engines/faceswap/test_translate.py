"""Old commands in today's words, held against the recorded switches of both lines."""

from __future__ import annotations

import contextlib
import io

import pytest
from click.testing import CliRunner
from galloway.pipeline.cli.faceset.translate import translate as command
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.engines.faceswap import translate
from galloway.pipeline.engines.faceswap.spellings import JOBS, SCRIPTS

from tests.contract.faceswap_standin.program import parser
from tests.support.faceswap import LINES
from tests.support.old_commands import OLD_COMMANDS


def accepts(line: str, words: tuple[str, ...]) -> bool:
    """Whether the recorded parser of `line` takes the command."""
    with contextlib.redirect_stderr(io.StringIO()):
        try:
            parser(line, words[1]).parse_args(list(words[2:]))
        except SystemExit:
            return False
    return True


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("old", sorted(OLD_COMMANDS))
def test_an_old_command_becomes_one_that_the_line_takes(old: str, line: str) -> None:
    result = translate(old, line)
    assert str(result) == OLD_COMMANDS[old][line]
    assert accepts(line, result.command)
    assert all(change.why for change in result.changes)


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("command_name", sorted(SCRIPTS))
def test_every_spelling_in_the_table_is_taken_today(command_name: str, line: str) -> None:
    script = "faceswap.py" if command_name in ("extract", "train", "convert") else "tools.py"
    known = {switch for action in _actions(line, script, command_name) for switch in action}
    for row in SCRIPTS[command_name]:
        new = row.on(line)
        assert new is None or new in known, row
        assert new is not None or row.reason(line), row


def _actions(line: str, script: str, name: str) -> list[list[str]]:
    (subparsers,) = [action for action in parser(line, script)._actions if action.dest == "command"]
    return [list(action.option_strings) for action in subparsers.choices[name]._actions]  # type: ignore[index, union-attr, call-overload]


@pytest.mark.parametrize("line", LINES)
def test_translating_twice_changes_nothing(line: str) -> None:
    for old in OLD_COMMANDS:
        once = translate(old, line)
        again = translate(str(once), line)
        assert again.command == once.command and again.changes == ()


@pytest.mark.parametrize("job", sorted(job for job, (new, _) in JOBS.items() if new is None))
@pytest.mark.parametrize("line", LINES)
def test_a_job_that_is_gone_is_refused_with_what_to_do_instead(job: str, line: str) -> None:
    result = translate(f"python tools.py alignments -j {job} -a x.fsa -fc faces", line)
    assert result.command == () and job in result.refused
    assert len(result.refused) > 40


def test_masks_that_master_works_out_by_itself() -> None:
    old = "tools.py mask -a x.fsa -i faces -it faces -M extended"
    assert "works these masks out by itself" in translate(old, "master").refused
    assert str(translate(old, "v2.3.0")) == "python tools.py mask -a x.fsa -i faces -I faces -M extended"


@pytest.mark.parametrize("wrong", ["ffmpeg -i x", "", "python train.py", "faceswap.py", "tools.py nothing", "'"])
def test_what_is_no_faceswap_command_is_named(wrong: str) -> None:
    with pytest.raises(EngineError):
        translate(wrong)


def test_a_line_that_is_not_known_is_named() -> None:
    with pytest.raises(EngineError, match="no line 'v1'"):
        translate("faceswap.py train", "v1")


def test_the_command_prints_both_lines_and_reasons() -> None:
    result = CliRunner().invoke(command, ["faceswap.py train -A a -B b -m m -t realface -wl"])
    assert result.exit_code == 0
    assert result.output.count("-t realface -M") == 2 and "-wl → -M: v2.3.0 crashes" in result.output


def test_the_command_fails_where_there_is_no_such_job_today() -> None:
    result = CliRunner().invoke(command, ["--json", "--line", "master", "tools.py alignments -j leftover-faces"])
    assert result.exit_code == 1 and '"refused"' in result.output
