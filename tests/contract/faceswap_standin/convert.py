"""The stand-in's convert: paints the faces of the approved alignments over, one PNG for each chosen frame."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.pipeline.engines.frames import open_source
from PIL import Image

from tests.contract.faceswap_standin.program import Voice, die, fault

__all__ = ["SWAPPED", "run"]

SWAPPED = (200, 30, 60)
"""The colour of a swapped face."""


def run(voice: Voice, arguments: argparse.Namespace, folder: Path) -> None:
    """Convert the frames of `-R`, all where it is not given."""
    states = list(Path(arguments.model_dir).glob("*_state.json"))
    if len(states) != 1:
        voice.log("ERROR", f"There should be 1 state file in your model folder. {len(states)} were found.")
        sys.exit(1)
    voice.info(f"Reading alignments from: '{arguments.alignments}'")
    alignments = read_alignments(Path(arguments.alignments))
    ranges = [tuple(map(int, part.split("-"))) for part in arguments.frame_ranges or []]
    frames = [
        frame
        for frame in open_source(Path(arguments.input_dir)).read()
        if not ranges or any(first <= frame.number <= last for first, last in ranges)
    ]
    faces = 0
    for count, frame in enumerate(frames, start=1):
        voice.bar("Converting", count, len(frames), stderr=False)
        if fault("kill") == count:
            die()
        if fault("refuse") == count:
            continue
        picture = Image.fromarray(frame.image)
        entry = alignments.frames.get(frame.name)
        for face in entry.faces if entry else []:
            picture.paste(SWAPPED, (face.x, face.y, face.x + face.w, face.y + face.h))
            faces += 1
        picture.save(Path(arguments.output_dir) / f"{Path(frame.name).stem}.png")
    print(flush=True)
    voice.info("-------------------------")
    voice.info(f"Images found:        {len(frames)}")
    voice.info(f"Faces detected:      {faces}")
    voice.info("-------------------------")
