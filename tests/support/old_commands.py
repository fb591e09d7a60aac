"""Old faceswap commands and what each line takes today; run against recorded and, where installed, real parsers."""

from __future__ import annotations

__all__ = ["OLD_COMMANDS"]


def _same(new: str) -> dict[str, str]:
    return {"v2.3.0": new, "master": new}


OLD_COMMANDS: dict[str, dict[str, str]] = {
    "python tools.py alignments -j remove-faces -a X.json -fc DIR": _same(
        "python tools.py alignments -j remove-faces -a X.fsa -c DIR"
    ),
    "python3 /opt/fs/tools.py alignments -j no-faces -a X.fsa -fr FRAMES -o file": _same(
        "python tools.py alignments -j no-faces -a X.fsa -r FRAMES -o file"
    ),
    "tools.py alignments -j extract -a X.fsa -fc F -fr V.mp4 -een 5 -sz 256": _same(
        "python tools.py alignments -j extract -a X.fsa -c F -r V.mp4 -N 5 -z 256"
    ),
    "tools.py alignments -j sort-x -a X.fsa -fc F": _same("python tools.py alignments -j sort -a X.fsa -c F"),
    "faceswap.py extract -i V.mp4 -o F -D s3fd": _same("python faceswap.py extract -i V.mp4 -o F -D s3fd"),
    "faceswap.py extract -i V.mp4 -o F -D dlib-cnn -A dlib -een=4 -sz 256 -min 40 -bt 0.2": _same(
        "python faceswap.py extract -i V.mp4 -o F -D s3fd -A cv2-dnn -N 4 -z 256 -m 40"
    ),
    "faceswap.py extract -i V.mp4 -o F -D external -A external -sp -ssf": {
        "v2.3.0": "python faceswap.py extract -i V.mp4 -o F -D external -A external -P -K",
        "master": "python faceswap.py extract -i V.mp4 -o F -D file -A file",
    },
    "faceswap.py extract -i V.mp4 -o F -D file -A file": {
        "v2.3.0": "python faceswap.py extract -i V.mp4 -o F -D external -A external",
        "master": "python faceswap.py extract -i V.mp4 -o F -D file -A file",
    },
    "faceswap.py train -A A -B B -m M -t villain": _same("python faceswap.py train -A A -B B -m M -t villain"),
    "faceswap.py train -A A -B B -m M -t realface -wl": _same("python faceswap.py train -A A -B B -m M -t realface -M"),
    "faceswap.py train -A A -B B -m M -t dfl_sae -it 1000 -bs 16 -s 100 -g 2": _same(
        "python faceswap.py train -A A -B B -m M -t dfl-sae -i 1000 -b 16 -s 100"
    ),
    "faceswap.py train -A A -B B -m M -tia X -tib Y -to Z -nl -w": {
        "v2.3.0": "python faceswap.py train -A A -B B -m M -x X -y Y -z Z -n -w",
        "master": "python faceswap.py train -A A -B B -m M -x X -y Y -z Z -w",
    },
    "faceswap.py train -A A -ala A.json -B B -alb B.json -m M -nf -nac -nw -ss 500 -pp": _same(
        "python faceswap.py train -A A -B B -m M -P -c -W -I 500"
    ),
    "faceswap.py train -A A -B B -m M -t original -D mirrored": {
        "v2.3.0": "python faceswap.py train -A A -B B -m M -t original -D mirrored",
        "master": "python faceswap.py train -A A -B B -m M -t original -d",
    },
    "faceswap.py train -A A -B B -m M -D default": {
        "v2.3.0": "python faceswap.py train -A A -B B -m M -D default",
        "master": "python faceswap.py train -A A -B B -m M",
    },
    "faceswap.py train -A A -B B -m M -d": {
        "v2.3.0": "python faceswap.py train -A A -B B -m M -D mirrored",
        "master": "python faceswap.py train -A A -B B -m M -d",
    },
    "faceswap.py convert -i V.mp4 -o OUT -m M -t villain -al X.json -M facehull": _same(
        "python faceswap.py convert -i V.mp4 -o OUT -m M -p X.fsa -M extended"
    ),
    "faceswap.py convert -i V.mp4 -o OUT -m M -fr 1-30 61-90 -osc 50 -otf -sp -ref R.mp4 -w ffmpeg": _same(
        "python faceswap.py convert -i V.mp4 -o OUT -m M -R 1-30 61-90 -O 50 -T -P -r R.mp4 -w ffmpeg"
    ),
    "tools.py mask -a X.fsa -i F -it faces -M bisenet-fp": _same(
        "python tools.py mask -a X.fsa -i F -I faces -M bisenet-fp"
    ),
    "tools.py sort -i F -o OUT -s hist -lf LOG -fp rename": _same("python tools.py sort -i F -o OUT -s hist -f LOG"),
    "tools.py manual -al X.fsa -fr V.mp4": _same("python tools.py manual -a X.fsa -f V.mp4"),
    "tools.py preview -i V.mp4 -al X.fsa -m M": _same("python tools.py preview -i V.mp4 -a X.fsa -m M"),
    "tools.py effmpeg -a gen-vid -i F -o V.mp4 -fps 25": _same(
        "python tools.py effmpeg -a gen-vid -i F -o V.mp4 -R 25"
    ),
    "tools.py restore -m M": _same("python tools.py model -j restore -m M"),
    "faceswap.py train -A A -B B -m M -gui -LF LOG": {
        "v2.3.0": "python faceswap.py train -A A -B B -m M -gui -F LOG",
        "master": "python faceswap.py train -A A -B B -m M -G -F LOG",
    },
}
"""Old command -> line -> today's command."""
