"""Old commands in today's words, held against the recorded switches of both lines."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from galloway.pipeline.cli.faceset.translate import translate as command
from galloway.pipeline.engines.base import EngineError
from galloway.pipeline.engines.faceswap import translate
from galloway.pipeline.engines.faceswap.spellings import JOBS, SCRIPTS
from galloway.pipeline.engines.faceswap.today import todays

from tests.contract.faceswap_standin import program
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


@pytest.mark.parametrize("line", LINES)
def test_the_switches_are_those_that_were_recorded(line: str) -> None:
    recorded = json.loads((Path(program.__file__).parent / "parsers.json").read_text(encoding="utf-8"))[line]
    assert recorded.keys() == SCRIPTS.keys()
    for name, rows in recorded.items():
        known = {today.names: today for today in todays(name, line)}
        assert known.keys() - {tuple(row["switches"]) for row in rows} == {("-X", "--exclude-gpus")}
        for row in rows:
            today = known[tuple(row["switches"])]
            assert today.takes == row.get("takes", "one")
            assert set(row.get("choices", today.choices)) == set(today.choices)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("train -A a -B b -m m --iter 9 --batch=4 --gpu 1", "train -A a -B b -m m --iterations 9 --batch-size 4"),
        (
            "train -A a -B b -m m -b16 -it1000 -wp --train dfl_sae",
            "train -A a -B b -m m -b 16 -i 1000 -w -p --trainer dfl-sae",
        ),
        ("train -A a \\\n  -B b \\\n  -m m -wl", "train -A a -B b -m m -M"),
        ("train -A a -B b -m m -it 5 | tee log.txt", "train -A a -B b -m m -i 5"),
        ("train -A a -B b -m m -b 2 > log.txt 2>&1 &", "train -A a -B b -m m -b 2"),
        ("train -A a -B b -m m; echo done", "train -A a -B b -m m"),
        ("extract -i v -o o --single --skip-saving -M extended", "extract -i v -o o"),
        ("extract -i v -o o -I", "extract -i v -o o -I vggface2"),
        ("convert -i v -o o -m m -M bisenet-fp", "convert -i v -o o -m m -M bisenet-fp_face"),
        ("train -A a -B b -m m --distribution-strategy mirrored", "train -A a -B b -m m -d"),
        ("train -A a -B b -m m -X 0", "train -A a -B b -m m -X 0"),
    ],
)
def test_what_argparse_and_the_shell_take_is_read_as_they_read_it(written: str, meant: str) -> None:
    result = translate(f"cd /data/extract && python faceswap.py {written}", "master")
    assert str(result) == f"python faceswap.py {meant}"
    assert "-X" in meant or accepts("master", result.command)


def test_paths_of_windows_keep_their_backslashes() -> None:
    old = r'python C:\fs\tools.py alignments -j remove-faces -a "C:\my clips\x.json" -fc ..\faces'
    assert translate(old).command[4:] == ("remove-faces", "-a", r"C:\my clips\x.fsa", "-c", r"..\faces")


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("extract -i v -o o --align fan", "--align may be --align-eyes or --align-filters or --aligner or"),
        ("extract -i v -o o -D retinaface", "-D has no 'retinaface' but cv2-dnn, external, mtcnn, s3fd"),
        ("extract -i v -o o -s 256", "256 belongs to no switch"),
        ("extract -i v -o o -v", "-v needs a value"),
        ("extract -i v -o o -nf bad.png", "has no switch -nf"),
        ("convert -i v -o o -m m --blur-size 3 --seamless", "--blur-size; v2.3.0 has no switch --seamless"),
        ("train old -A a -B b -m m", "old belongs to no switch"),
        ("train -A a -B b -m m --input_A x", "has no switch --input_A, but --input-A"),
    ],
)
def test_what_a_line_would_refuse_is_named_instead_of_passed_on(written: str, named: str) -> None:
    result = translate(f"faceswap.py {written}", "v2.3.0")
    assert result.command == () and named in result.refused
