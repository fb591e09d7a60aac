"""How fast is a merge? Ours against faceswap's own `remove-faces` on the same faces, and against the physical floor.

    python -m bench.merge [--quick] [--faces N] [--sizes N,N,…] [--line v2.3.0|master] [--no-real] [--keep DIR]

For each line a faceset of N faces (20,000) is made as that line writes it, a tenth of the PNGs is deleted, and
`galloway faceset remove-faces` takes them out of the alignments. The real program does the same on a copy where its
checkout and Python are named: GALLOWAY_FACESWAP_HOME_V2 and GALLOWAY_FACESWAP_PYTHON_V2 (v2.3.0), …_V3 (master), or
without a suffix for one of them (GALLOWAY_FACESWAP_LINE says which). What is left must be equal. The floor is reading
the same bytes. A second row merges decisions in a workspace, where ingest has read every face once. CPU is user plus
system of the whole process, memory its peak. `--sizes 20000,60000,100000` says whether the cost of a face stays the
same; the real program runs at the first size only. The last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.merge_data import copy

PROJECT = Path(__file__).parents[1]
LINES = ("v2.3.0", "master")
RECORDED = {"v2.3.0": (32.7, 1047), "master": (108.4, 2903)}
"""CPU seconds and MB that faceswap's job took on 20,000 such faces on another, busy machine: quoted, not measured."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process took."""

    cpu: float
    wall: float
    megabytes: float


def measured(command: list[str], *, cwd: Path | None = None, env: dict[str, str] | None = None) -> Cost:
    """Run `command` to its end. Raises CalledProcessError with its output where it fails."""
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise subprocess.CalledProcessError(process.returncode, command, output.read()[-2000:])
    return Cost(usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss / 1024)


def faceswap_of(line: str) -> tuple[Path, Path] | None:
    """Checkout and Python of a faceswap line, where the environment names them."""
    suffixes = [{"v2.3.0": "_V2", "master": "_V3"}[line]]
    if os.environ.get("GALLOWAY_FACESWAP_LINE") == line:
        suffixes.append("")
    for suffix in suffixes:
        home = os.environ.get(f"GALLOWAY_FACESWAP_HOME{suffix}")
        python = os.environ.get(f"GALLOWAY_FACESWAP_PYTHON{suffix}")
        if home and python:
            return Path(home), Path(python)
    return None


def real_job(line: str, root: Path) -> Cost | None:
    """faceswap's own remove-faces on `root`; None where it is not installed."""
    found = faceswap_of(line)
    if found is None:
        return None
    home, python = found
    arguments = [
        "-j",
        "remove-faces",
        "-a",
        str(root / "alignments" / "clip_alignments.fsa"),
        "-c",
        str(root / "faces"),
    ]
    return measured(
        [str(python), "tools.py", "alignments", *arguments, "-F", str(root / "faceswap.log")],
        cwd=home,
        env={"FACESWAP_BACKEND": "cpu", "KERAS_BACKEND": "torch"},
    )


def our_job(root: Path) -> Cost:
    """`galloway faceset remove-faces` on `root`, nothing known of it before."""
    command = [sys.executable, "-m", "galloway", "faceset", "remove-faces", "--faces", str(root / "faces")]
    return measured([*command, "--alignments", str(root / "alignments" / "clip_alignments.fsa")], cwd=PROJECT)


MERGE = """
import sys
from pathlib import Path
from galloway.curation.faceset.merging.merge import apply_merge, plan_merge
from galloway.curation.faceset.index import FaceIndex, FacesetPaths
from galloway.curation.types import DecidedBy, Decision, Side, Status
root = Path(sys.argv[1])
paths = FacesetPaths(Side.B, root / "faces", root / "alignments", root / "merges", root / "rejected")
gone = set(Path(sys.argv[2]).read_text().split())
known = FaceIndex.load(paths)
decisions = [
    Decision(face.face_id, None, Status.REJECTED if face.name in gone else Status.APPROVED, None,
             "blurred" if face.name in gone else None, 0.9, 3, DecidedBy.CROWD, "majority")
    for face in known.faces.values()
]
result = apply_merge(plan_merge(paths, decisions))
assert result.removed == len(gone), result.removed
"""
SCAN = """
import sys
from pathlib import Path
from galloway.curation.faceset.index import FaceIndex, FacesetPaths
from galloway.curation.types import Side
root = Path(sys.argv[1])
paths = FacesetPaths(Side.B, root / "faces", root / "alignments", root / "merges", root / "rejected")
FaceIndex.load(paths).refresh(ids=True, content=True).save()
"""


def our_merge(root: Path, gone: list[str]) -> Cost:
    """A merge of decisions in a workspace whose faces are known from ingest, with face ids and digests."""
    (root / "gone.txt").write_text("\n".join(gone))
    subprocess.run([sys.executable, "-c", SCAN, str(root)], check=True, cwd=PROJECT)
    command = [sys.executable, "-c", MERGE, str(root), str(root / "gone.txt")]
    return measured(command, cwd=PROJECT)


def floor(root: Path) -> Cost:
    """Reading the bytes that the job must know: the first 12 KB of every PNG, and the alignments."""
    code = (
        "import os,sys\n"
        "for folder, size in ((sys.argv[1], 12288), (sys.argv[2], 1 << 30)):\n"
        "    for entry in os.scandir(folder):\n"
        "        if entry.is_file():\n"
        "            handle = os.open(entry.path, os.O_RDONLY); os.read(handle, size); os.close(handle)\n"
    )
    return measured([sys.executable, "-S", "-c", code, str(root / "faces"), str(root / "alignments")])


def data_tool(*arguments: object) -> int:
    """Run `merge_data.py`, in a process of its own, so that its memory is given back; returns its exit code."""
    command = [sys.executable, "-m", "bench.merge_data", *map(str, arguments)]
    return subprocess.run(command, cwd=PROJECT, check=False).returncode


def same(one: Path, other: Path) -> bool:
    """Whether two jobs left the same faces, headers and alignments."""
    return data_tool("same", one, other) == 0


def row(line: str, faces: int, base: Path, *, real: bool) -> dict[str, Any]:
    """Measure one line at one size."""
    made, ours, theirs, merged = (base / name for name in ("made", "ours", "theirs", "merged"))
    print(f"{line}: making {faces:,} faces …", file=sys.stderr, flush=True)
    if data_tool("make", made, faces, line):
        raise SystemExit("the faceset could not be made")
    gone = sorted(path.name for path in (made / "faces").iterdir())[::10]
    copy(made, ours, without=set(gone), link=True)
    copy(made, merged, link=True)
    costs = {"floor": floor(ours), "ours": our_job(ours), "merge": our_merge(merged, gone)}
    equal = None
    if real and faceswap_of(line):
        copy(made, theirs, without=set(gone), link=False)
        costs["faceswap"] = real_job(line, theirs) or Cost(0, 0, 0)
        equal = same(ours, theirs)
    merge_equal = same(ours, merged)
    shutil.rmtree(base)
    result: dict[str, Any] = {"line": line, "faces": faces, "removed": len(gone), "merge_equals_job": merge_equal}
    result |= {name: asdict(cost) for name, cost in costs.items()}
    if "faceswap" in costs:
        result |= {
            "equal_to_faceswap": equal,
            "times_less_cpu": costs["faceswap"].cpu / costs["ours"].cpu,
            "times_less_wall": costs["faceswap"].wall / costs["ours"].wall,
            "merge_times_less_cpu": costs["faceswap"].cpu / costs["merge"].cpu,
            "memory_share": costs["ours"].megabytes / costs["faceswap"].megabytes,
        }
    result["times_the_floor"] = costs["ours"].cpu / costs["floor"].cpu
    return result


def growth(rows: list[dict[str, Any]]) -> dict[str, float]:
    """What a face costs at the largest size, over what it costs at the smallest: 1 is linear, less is better."""
    small, large = rows[0], rows[-1]
    return {
        f"{name}_{what}": round((large[name][what] / large["faces"]) / (small[name][what] / small["faces"]), 3)
        for name in ("ours", "merge")
        for what in ("cpu", "wall", "megabytes")
    }


def show_growth(line: str, rows: list[dict[str, Any]]) -> None:
    """A table of one line at several sizes, for people."""
    print(f"\n{line}     faces   CPU s   wall s      MB   CPU µs a face   KB a face   floor CPU s")
    for name, what in (("ours", "remove-faces"), ("merge", "merge")):
        for item in rows:
            cost, faces = item[name], item["faces"]
            print(
                f"  {what:12}{faces:>8,}{cost['cpu']:8.2f}{cost['wall']:9.2f}{cost['megabytes']:8.0f}"
                f"{1e6 * cost['cpu'] / faces:16.1f}{1024 * cost['megabytes'] / faces:12.1f}{item['floor']['cpu']:14.2f}"
            )
    grown = growth(rows)
    print(
        f"  a face at {rows[-1]['faces']:,} costs {grown['ours_cpu']:.2f} times the CPU and "
        f"{grown['ours_megabytes']:.2f} times the memory of one at {rows[0]['faces']:,} (merge: "
        f"{grown['merge_cpu']:.2f}, {grown['merge_megabytes']:.2f})"
    )


def show(result: dict[str, Any]) -> None:
    """The row, for people."""
    line, faces = result["line"], result["faces"]
    print(f"\n{line}, {faces:,} faces, {result['removed']:,} removed")
    for name, what in (
        ("floor", "reading the bytes"),
        ("ours", "galloway faceset remove-faces"),
        ("merge", "merge of decisions (known faces)"),
        ("faceswap", f"faceswap {line}, remove-faces"),
    ):
        if name in result:
            cost = result[name]
            print(f"  {what:34} {cost['cpu']:8.2f} CPU s {cost['wall']:8.2f} s {cost['megabytes']:8.0f} MB")
    print(f"  {result['times_the_floor']:.1f} times the floor", end="")
    if "times_less_cpu" in result:
        print(
            f"; {result['times_less_cpu']:.1f} times less CPU than faceswap (merge: "
            f"{result['merge_times_less_cpu']:.1f}), {result['memory_share']:.0%} of its memory; "
            f"what is left is {'equal' if result['equal_to_faceswap'] else 'NOT EQUAL'}"
        )
    elif faces == 20_000:
        cpu, memory = RECORDED[line]
        print(f"; faceswap recorded elsewhere: {cpu} CPU s, {memory:,} MB (not measured here)")
    elif faceswap_of(line) is None:
        print("; faceswap is not named (GALLOWAY_FACESWAP_HOME_V2, …_PYTHON_V2, …_V3)")
    else:
        print("; faceswap was not run")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true", help="2,000 faces, without the real program")
    parser.add_argument("--faces", type=int, default=20_000)
    parser.add_argument("--sizes", help="several numbers of faces instead, as 20000,60000,100000")
    parser.add_argument("--line", choices=LINES, action="append")
    parser.add_argument("--no-real", action="store_true", help="do not run faceswap")
    parser.add_argument("--keep", type=Path, help="work in this folder instead of a temporary one")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.sizes.split(",")] if arguments.sizes else [arguments.faces]
    if arguments.quick:
        sizes = [2_000]
    rows, grown = [], {}
    with tempfile.TemporaryDirectory(dir=arguments.keep) as folder:
        for line in arguments.line or LINES:
            own = []
            for size in sizes:
                real = size == sizes[0] and not (arguments.quick or arguments.no_real)
                own.append(row(line, size, Path(folder) / line, real=real))
                show(own[-1])
            if len(own) > 1:
                show_growth(line, own)
                grown[line] = growth(own)
            rows += own
    print(json.dumps({"bench": "merge", "rows": rows, "growth": grown}))
    good = all(r.get("equal_to_faceswap") is not False and r["merge_equals_job"] for r in rows)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
