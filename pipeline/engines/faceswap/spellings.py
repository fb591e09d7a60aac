"""Old spellings of faceswap's commands, and what became of them.

Sources: the option names that v1 documented, those that v2.3.0 still lists as deprecated, and runs of both lines:
v2.3.0 crashes on `-wl` and `-fc` and passes over the value of `-it`; master refuses them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["EVERYWHERE", "JOBS", "SCRIPTS", "Spelling", "find_spelling", "sub_commands"]

Takes = Literal["none", "one", "any"]
"""How many values follow a switch."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """An old switch.

    `new` is today's, None where it was dropped; `why` says why it must be respelled, `gone` why it was dropped (on
    master alone where `master` is None).
    """

    old: str
    new: str | None
    why: str = ""
    takes: Takes = "one"
    master: str | None = ""
    """Today's switch on master where it differs from `new`; "" means the same."""
    gone: str = ""

    def on(self, line: str) -> str | None:
        """Today's switch on this line, None where there is none."""
        return self.new if line == "v2.3.0" or self.master == "" else self.master

    def reason(self, line: str) -> str:
        """Why it is not written any more on this line."""
        return (self.gone or self.why) if self.on(line) is None else self.why


_CRASH = "v2.3.0 crashes on the old switch, master refuses it"
_IGNORED = "v2.3.0 takes the old switch but passes over its value, master refuses it"
_GPU = "GPUs are chosen by the backend today (FACESWAP_BACKEND, -X)"
_CONFIG = "it is a setting in the program's .ini files today"
_HEADER = "faces carry their alignments in their own headers today"

EVERYWHERE = (
    Spelling("-LF", "-F", _IGNORED),
    Spelling("-gui", "-gui", "renamed on master", "none", master="-G"),
    Spelling("-G", "-gui", "renamed on master", "none", master="-G"),
)
_NO_LOGS = "the master line crashes at its first save without logs"

SCRIPTS: dict[str, tuple[Spelling, ...]] = {
    "extract": (
        Spelling("-al", "-p", _CRASH),
        Spelling("-min", "-m", _CRASH),
        Spelling("-een", "-N", _CRASH),
        Spelling("-nm", "-O", _IGNORED),
        Spelling("-rf", "-R", _CRASH),
        Spelling("-sz", "-z", _IGNORED),
        Spelling("-si", "-v", _CRASH),
        Spelling("-dl", "-B", _CRASH, "none"),
        Spelling("-sp", "-P", _IGNORED, "none", master=None, gone="master has no single process any more"),
        Spelling("-P", "-P", "", "none", master=None, gone="master has no single process any more"),
        Spelling(
            "--singleprocess", "--singleprocess", "", "none", master=None, gone="master has no single process any more"
        ),
        Spelling("-sf", "-e", _CRASH, "none"),
        Spelling("-ssf", "-K", _CRASH, "none", master=None, gone="on master leave out -o instead"),
        Spelling("-K", "-K", "", "none", master=None, gone="on master leave out -o instead"),
        Spelling(
            "--skip-saving-faces", "--skip-saving-faces", "", "none", master=None, gone="on master leave out -o instead"
        ),
        Spelling("-bt", None, "blurred faces are left to people, or to sort -s blur, today"),
        Spelling("--blur-threshold", None, "blurred faces are left to people, or to sort -s blur, today"),
        Spelling("-ae", None, "eyes are aligned by the aligner today", "none"),
        Spelling("--align-eyes", None, "eyes are aligned by the aligner today", "none"),
        Spelling("-mp", None, "it is how the program works today", "none"),
        Spelling("--multiprocess", None, "it is how the program works today", "none"),
    ),
    "train": (
        Spelling("-su", "-u", _IGNORED, "none"),
        Spelling("-bs", "-b", _CRASH),
        Spelling("-it", "-i", _IGNORED),
        Spelling("-nl", "-n", _CRASH, "none", master=None, gone=_NO_LOGS),
        Spelling("-n", "-n", "", "none", master=None, gone=_NO_LOGS),
        Spelling("--no-logs", "--no-logs", "", "none", master=None, gone=_NO_LOGS),
        Spelling("-ss", "-I", _CRASH),
        Spelling("-tia", "-x", _CRASH),
        Spelling("-tib", "-y", _CRASH),
        Spelling("-to", "-z", _CRASH),
        Spelling("-wl", "-M", _CRASH, "none"),
        Spelling("-nf", "-P", _CRASH, "none"),
        Spelling("-nac", "-c", _CRASH, "none"),
        Spelling("-nw", "-W", _CRASH, "none"),
        Spelling("-ala", None, _HEADER),
        Spelling("--alignments-A", None, _HEADER),
        Spelling("-alb", None, _HEADER),
        Spelling("--alignments-B", None, _HEADER),
        Spelling("-ps", None, "the preview is scaled in its own window today"),
        Spelling("--preview-scale", None, "the preview is scaled in its own window today"),
        Spelling("-msg", None, "memory is saved by mixed precision today (train.ini)", "none"),
        Spelling("-o", None, "memory is saved by mixed precision today (train.ini)"),
        Spelling("-pp", None, "training one side at a time was given up", "none"),
        Spelling("--ping-pong", None, "training one side at a time was given up", "none"),
        Spelling("-ag", None, _CONFIG, "none"),
        Spelling("--allow-growth", None, _CONFIG, "none"),
        Spelling("-g", None, _GPU),
        Spelling("--gpus", None, _GPU),
    ),
    "convert": (
        Spelling("-t", None, "the model's kind is read from its folder today"),
        Spelling("--trainer", None, "the model's kind is read from its folder today"),
        Spelling("-al", "-p", _CRASH),
        Spelling("-sp", "-P", _IGNORED, "none"),
        Spelling("-ref", "-r", _CRASH),
        Spelling("-fr", "-R", _CRASH, "any"),
        Spelling("-osc", "-O", _CRASH),
        Spelling("-otf", "-T", _CRASH, "none"),
        Spelling("-sc", None, _CONFIG),
        Spelling("--scaling", None, _CONFIG),
        Spelling("-ag", None, _CONFIG, "none"),
        Spelling("-g", None, _GPU),
        Spelling("--gpus", None, _GPU),
    ),
    "alignments": (
        Spelling("-fc", "-c", _CRASH),
        Spelling("-fr", "-r", "v2.3.0 takes it for -N by mistake, master refuses it"),
        Spelling("-een", "-N", "v2.3.0 takes it for -r by mistake, master refuses it"),
        Spelling("-sz", "-z", _IGNORED),
        Spelling("-als", "-a", "one alignments file today, or a folder of them with -B"),
        Spelling("-ae", None, "eyes are aligned by the aligner today", "none"),
        Spelling("-dm", None, "the interface has no such mode today", "none"),
    ),
    "manual": (Spelling("-al", "-a", _CRASH), Spelling("-fr", "-f", _CRASH)),
    "preview": (Spelling("-al", "-a", _CRASH),),
    "mask": (Spelling("-it", "-I", _CRASH),),
    "model": (),
    "sort": (
        Spelling("-lf", "-f", _CRASH),
        Spelling("-fp", None, "sorting renames, grouping (-g) makes folders today"),
        Spelling("--final-process", None, "sorting renames, grouping (-g) makes folders today"),
        Spelling("-be", None, "only one backend is left", "one"),
    ),
    "effmpeg": (
        Spelling("-fps", "-R", _IGNORED),
        Spelling("-ef", "-E", _CRASH),
        Spelling("-tr", "-T", _IGNORED),
        Spelling("-de", "-D", _IGNORED),
        Spelling("-sc", "-S", _IGNORED),
    ),
}
"""Per command: the switches that were respelled or dropped."""

JOBS: dict[str, tuple[str | None, str]] = {
    "leftover-faces": (
        None,
        (
            "the job is gone. Compare folder and alignments instead: galloway faceset verify FOLDER; or make the "
            "alignments anew from the faces that are left: tools.py alignments -j from-faces -c FOLDER"
        ),
    ),
    "sort-x": ("sort", "sorting is from left to right today"),
    "sort-y": ("sort", "sorting is from left to right today"),
    "extract-large": ("extract", "name the smallest size with -m"),
    "dfl": ("from-faces", "DeepFaceLab's faces are read by from-faces, or by galloway faceset import"),
    "reformat": (None, "there is one format today (.fsa): galloway faceset import"),
    "merge": (None, "alignments are no longer merged; extract into one file"),
    "remove-frames": (None, "frames cannot be removed; their faces can: -j remove-faces -c FOLDER"),
    "update-hashes": (None, "faces are no longer known by hashes; nothing needs updating"),
    "manual": (None, "it is a tool of its own today: tools.py manual -a ALIGNMENTS -f FRAMES"),
}
"""Jobs of `tools.py alignments` that are gone: today's job or None, and why."""


def sub_commands() -> tuple[str, ...]:
    """Every command there is a table for."""
    return tuple(SCRIPTS)


def find_spelling(command: str, switch: str) -> Spelling | None:
    """The table's row for an old switch of `command`, None where it is today's."""
    return next((row for row in (*SCRIPTS[command], *EVERYWHERE) if row.old == switch), None)
