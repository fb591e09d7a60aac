"""Convert: swap the faces of the approved alignments in side A's footage, and say in the file that it is a swap."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...curation.files import write_atomic
from ...curation.spread import Spread
from ...curation.types import Progress, Side, no_progress
from ..app import App
from ..asking.heeded import heeded_votes
from ..consent.gate import check_consent, check_model, consent_fingerprints
from ..consent.lineage import note_film
from ..engines.base import ConvertRequest, ConvertResult, FrameRange, frames_in, spans
from ..engines.compare import Compared, compare
from ..engines.disclosure import says_face_swap, stranger
from ..engines.encodings import default_suffix
from ..engines.frames import open_source
from ..engines.label import WORDS
from ..engines.mark_code import BITS, mark_name
from ..errors import NotApproved, NothingToDo, StageError
from ..judging.film import find_film
from ..judging.judge import joined
from ..judging.outcome import kept_ranges
from ..provenance.film import check_signer, sign_film, votes_digest
from ..video.regions import regions_json
from ..workspace.acts import note_act
from ..workspace.approved import ApprovedFaceset
from ..workspace.films import Beside, file_digest, found_beside, written_beside
from ..workspace.masked import kept_regions
from ..workspace.records import Source, sources
from ..workspace.runs import Run
from ..workspace.state import json_object
from .convert_options import Again, ConvertOptions, pairs_of
from .masking import unmasked
from .measure import LEFT_OUT, left_out, noted_ranges
from .models import model_name, named_model
from .train import approved_facesets, last_model

__all__ = [
    "Converted",
    "check_trained_on",
    "convert",
    "disclosure",
    "footage_to_convert",
]


@dataclass(frozen=True, slots=True)
class _Job:
    """One conversion before anything is drawn: what is swapped by what, and where the result goes. `left` is what
    people's review leaves as it was, `earlier` the films that the new one replaces, `remains` files of these that it
    does not write over, `mark` what its pixels carry."""

    chosen: ConvertOptions
    run: Run
    facesets: dict[Side, ApprovedFaceset]
    source: Source
    target: Path
    left: tuple[FrameRange, ...] | None
    mark: int | None
    earlier: list[str]
    remains: list[Path]

    @property
    def skip(self) -> tuple[FrameRange, ...]:
        """Frames that stay as they are."""
        return (*self.chosen.skip, *(self.left or ()))

    @property
    def beside(self) -> Beside:
        """What is written beside the film."""
        return written_beside(self.target)

    def said(self) -> dict[str, str]:
        """What the picture says of the swap, or why it does not."""
        no_label, no_mark = self.chosen.no_label, self.chosen.no_mark
        return {
            "label": f"{LEFT_OUT}{no_label}" if no_label else WORDS,
            "mark": f"{LEFT_OUT}{no_mark}" if self.mark is None else mark_name(self.mark),
        }


@dataclass(frozen=True, slots=True)
class Converted:
    """One swapped video with what was made beside it, and how it compares with its source; `left` is what people's
    review left as it was."""

    source: Source
    result: ConvertResult
    side_by_side: Path
    contact_sheet: Path
    compared: tuple[Compared, ...]
    left: tuple[FrameRange, ...] | None = None
    fade: int = 0
    run: str = ""
    model: str = ""


def convert(
    app: App,
    chosen: ConvertOptions | None = None,
    *,
    spread: Spread | None = None,
    progress: Progress = no_progress,
) -> Converted:
    """Swap one of side A's videos or folders of frames with the newest model, or the one that is named. The output
    appears when it is whole. The
    workers of `spread` draw the faces, where there are any.

    Raises StageError where `output` would replace a file that is no face swap of Galloway's, NotApproved where a
    person's consent does not cover it, NothingToDo where nobody was asked or the result is as people said already.
    """
    chosen = chosen or ConvertOptions()
    if chosen.output is not None:
        _refuse_other_files(chosen.output)
    check_consent(app, "convert")
    facesets = approved_facesets(app)
    run = named_model(app, chosen.model, chosen.engine) if chosen.model or chosen.engine else last_model(app)
    if chosen.model:
        chosen = replace(chosen, model=model_name(run))
    check_model(app, run.record["model_dir"])
    check_trained_on(run, facesets)
    source = footage_to_convert(app, chosen.source)
    worker = app.engine(chosen.engine or run.record["engine"], spread)
    job = _planned(app, chosen, run, facesets, source)
    check_signer(app.workspace.root, job.target)
    done = worker.convert(_request(app, job), progress)
    made_at = datetime.now(UTC).isoformat(timespec="seconds")
    signed = _signed(app, run, facesets, made_at) | job.said()
    if chosen.again:
        done = replace(done, hidden=spans(sorted(frames_in(done.hidden) | chosen.again.still_hidden())))
    unsigned = sign_film(app.workspace.root, done.output, source.path, signed)
    done = replace(done, notes=(*done.notes, *_thinned(source, done), *((unsigned,) if unsigned else ())))
    compared = compare(source.path, done.output)
    record = _record(app, job, done, compared, made_at)
    note_film(run, done.output, app.workspace.root, record)
    write_atomic(job.beside.record, json.dumps(record, indent=2) + "\n")
    for path in job.remains:
        path.unlink(missing_ok=True)
    note_act(app.workspace, "convert", f"with {worker.name}", f"{done.frames} frames")
    return Converted(
        source,
        done,
        job.beside.side_by_side,
        job.beside.sheet,
        compared,
        job.left,
        chosen.settings()["fade"],
        run.id,
        run.record["model_dir"],
    )


def _planned(app: App, chosen: ConvertOptions, run: Run, facesets: dict[Side, ApprovedFaceset], source: Source) -> _Job:
    """Where the result goes and what stays; makes the folder that it goes to."""
    name = f"{source.name}-swapped{default_suffix(chosen.codec)}"
    target = chosen.output or app.workspace.root / "results" / name
    if target.resolve() == source.path.resolve():
        raise StageError(f"{target} is the footage itself; name another file with --output.")
    if chosen.rate is not None and not chosen.again and source.kind == "video":
        raise StageError(f"{source.path.name} is a video and has its own times; --rate is for folders of frames.")
    if chosen.fade and not (chosen.skip or chosen.approved or chosen.again):
        raise StageError("--fade softens the ends of what --skip or --where leaves out; name one of them, too.")
    if not chosen.again:
        _check_in_film(source, (*chosen.ranges, *chosen.skip))
    target.parent.mkdir(parents=True, exist_ok=True)
    left = _left(app, target, source, run, chosen) if chosen.approved else None
    mark = None if chosen.no_mark else _mark(chosen.again)
    return _Job(
        chosen, run, facesets, source, target, left, mark, _earlier(target), found_beside(target).remains(target)
    )


def _check_in_film(source: Source, ranges: Sequence[FrameRange]) -> None:
    """Raise StageError where a range begins after the end; one that only ends there means all frames up to the end."""
    last = max(source.frames or 0, open_source(source.path).frames or 0) if ranges else 0
    beyond = next((span for span in ranges if 0 < last < span.first), None)
    if beyond is not None:
        raise StageError(f"{source.path.name} has {last} frames; {beyond.first}-{beyond.last} is not in it.")


def _mark(again: Again | None) -> int:
    """What the new pixels carry: the same as those beside them that are kept."""
    before = str(again.record.get("mark", "")) if again else ""
    return int(before, 16) if re.fullmatch(r"[0-9a-f]{10}", before) else secrets.randbits(BITS)


def _request(app: App, job: _Job) -> ConvertRequest:
    """What the engine is asked for."""
    chosen, source = job.chosen, job.source
    known = app.workspace.alignments_dir(Side.A) / f"{source.name}_alignments.fsa"
    work = app.workspace.root / "runs" / f"convert-{source.name}"
    return ConvertRequest(
        source=source.path,
        alignments=unmasked(app, source, known, work / "unmasked" / known.name),
        model_dir=app.workspace.inside(job.run.record["model_dir"]),
        output=job.target,
        work_dir=work,
        ranges=tuple(chosen.ranges),
        skip=job.skip,
        fade=chosen.settings()["fade"],
        mask=chosen.mask,
        color=chosen.color,
        writer=chosen.writer,
        side_by_side=job.beside.side_by_side,
        contact_sheet=job.beside.sheet,
        metadata=disclosure(app, job.run, job.facesets),
        codec=chosen.codec,
        crf=chosen.crf,
        preset=chosen.preset,
        rate=chosen.rate,
        label=not chosen.no_label,
        mark=job.mark,
        kept=chosen.again.kept() if chosen.again else None,
        options=dict(chosen.options),
    )


def _record(app: App, job: _Job, done: ConvertResult, compared: Sequence[Compared], made_at: str) -> dict[str, Any]:
    """What is kept of the film, beside it and in its run."""
    again = job.chosen.again
    earlier = again.record if again else {}
    where = {"left": pairs_of(job.left)} if job.left is not None else again.where() if again else None
    ranges = again.of_ranges() if again else job.chosen.ranges
    return {
        "source": job.source.name,
        "run": job.run.id,
        "model": job.run.record["model_dir"],
        "frames": done.frames,
        "swapped": done.swapped,
        "faces": done.faces,
        "ranges": pairs_of(_within(ranges, done.frames)),
        "skip": pairs_of(_within(job.skip, done.frames)),
        "regions": _regions(app, job.source),
        "settings": job.chosen.settings(),
        "earlier": job.earlier,
        "where": where,
        "swapped_frames": pairs_of(done.spans),
        "hidden_frames": pairs_of(done.hidden),
        "again": [*earlier.get("again", []), again.note(job.run.id)] if again else [],
        "left_out": list(done.notes),
        "differs": {item.what: [item.before, item.after] for item in compared if not item.same},
        "sha256": file_digest(done.output),
        "made_at": made_at,
        "facesets": job.run.record["facesets"],
        "consent": consent_fingerprints(app),
        **job.said(),
    }


def _within(ranges: Sequence[FrameRange], end: int) -> tuple[FrameRange, ...]:
    """The ranges as far as the film goes: whoever means "to its end" may write any number."""
    return tuple(FrameRange(item.first, min(item.last, end)) for item in ranges if item.first <= end)


def _as_one(ranges: Sequence[FrameRange], end: int) -> list[tuple[int, int]]:
    return joined([(item.first, item.last) for item in _within(ranges, end)])


def _regions(app: App, source: Source) -> str:
    """What is the same for the same regions in which nobody is swapped; "" where there are none."""
    regions = kept_regions(app.workspace, source.side, source.name)
    return hashlib.sha256(regions_json(regions).encode()).hexdigest()[:16] if regions else ""


def _left(app: App, target: Path, source: Source, run: Run, chosen: ConvertOptions) -> tuple[FrameRange, ...]:
    """What people's review of the result that is there leaves as it was."""
    film = find_film(app, target)
    if film.source.name != source.name:
        raise StageError(f"{film.name} was made of {film.source.name}, not of {source.name}; name another --output.")
    left = tuple(FrameRange(first, last) for first, last in kept_ranges(app, film))
    old = film.record
    end = int(old.get("frames") or 0)
    now = (
        run.id, chosen.settings(), _regions(app, source), chosen.no_label, chosen.no_mark,
        _as_one((*chosen.skip, *left), end), _as_one(chosen.ranges, end),
    )  # fmt: skip
    before = (
        old.get("run"), old.get("settings"), old.get("regions", ""), left_out(old, "label"), left_out(old, "mark"),
        _as_one(noted_ranges(old, "skip"), end), _as_one(noted_ranges(old, "ranges"), end),
    )  # fmt: skip
    if old.get("where") and now == before:
        raise NothingToDo(f"{film.name} leaves out what people said already, with this model and these settings.")
    return left


def _earlier(target: Path) -> list[str]:
    """The ids of the films that the new one replaces: what people said of them is kept under these."""
    try:
        old = json_object(found_beside(target).record.read_bytes()) or {}
    except OSError:
        return []
    return [*map(str, old.get("earlier") or ()), str(old.get("sha256", ""))]


def _thinned(source: Source, done: ConvertResult) -> tuple[str, ...]:
    """A note where faces were looked for in some frames only, as earlier releases did with --every-nth."""
    if source.frames is None or source.frames >= done.frames:
        return ()
    passed = f"the faces of {done.frames - source.frames} of {done.frames} frames, which extract passed over"
    return (f"{passed}; the film flickers. Extract it whole in a new workspace",)


def _signed(app: App, run: Run, facesets: dict[Side, ApprovedFaceset], made_at: str) -> dict[str, Any]:
    """What is signed with the film; like its tags it names nobody."""
    bases = {side: sorted({item.basis for item in sources(app.workspace, side)}) for side in Side}
    return {
        "made_at": made_at,
        "run": run.id,
        "facesets": {side.value: item.digest for side, item in facesets.items()},
        "basis": {side.value: ", ".join(found) for side, found in bases.items()},
        "consent": consent_fingerprints(app),
        "votes": votes_digest(heeded_votes(app)),
    }


def disclosure(app: App, run: Run, facesets: dict[Side, ApprovedFaceset]) -> dict[str, str]:
    """What the mp4 says of itself: that it is a face swap, by what, from which facesets, on what basis.

    No person is named: whoever is sent the video need not learn who agreed to it. The type is IPTC's for a composite
    with elements made by a trained model.
    """
    bases = {side: sorted({item.basis for item in sources(app.workspace, side)}) for side in Side}
    return {
        "title": "Face swap",
        "comment": (
            "This video is a face swap: a face in it was replaced by a trained model. "
            f"Basis: side A {', '.join(bases[Side.A])}; side B {', '.join(bases[Side.B])}."
        ),
        "description": (
            f"Made with Galloway {version('galloway')}; run {run.id}; facesets "
            f"{facesets[Side.A].digest} and {facesets[Side.B].digest}."
        ),
        "digital_source_type": ("http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"),
    }


def _refuse_other_files(output: Path) -> None:
    """An earlier result may be replaced by a new one; footage and anything else may not."""
    record = written_beside(output).record
    if output.is_dir():
        foreign = stranger(output)
    else:
        foreign = output if output.exists() and not says_face_swap(output) else None
    if foreign is None and record.exists() and not _is_record(record):
        foreign = record
    if foreign is not None:
        raise StageError(f"{foreign} is there already and no result of this command; name another file with --output.")


def _is_record(path: Path) -> bool:
    try:
        return {"run", "sha256"} <= set(json_object(path.read_bytes()) or ())
    except OSError:
        return False


def check_trained_on(run: Run, facesets: dict[Side, ApprovedFaceset]) -> None:
    """Raise NotApproved where the model learnt from other facesets than the ones that stand."""
    for side, item in facesets.items():
        if run.record["facesets"][side.value]["digest"] != item.digest:
            raise NotApproved(
                f"The model was trained on another faceset of side {side.value} than the one approved now. "
                "Go on training on the new one: galloway train"
            )


def footage_to_convert(app: App, name: str | None) -> Source:
    """Side A's footage of that name, or all there is. Raises StageError where that is not one."""
    footage = [item for item in sources(app.workspace, Side.A) if item.kind != "faces"]
    chosen = [item for item in footage if name in (None, item.name)]
    videos = [item for item in chosen if item.kind == "video"]
    if len(videos) == 1 or (not videos and len(chosen) == 1):
        return (videos or chosen)[0]
    known = ", ".join(item.name for item in footage) or "none"
    raise StageError(f"Say which video of side A to convert with --source; there are: {known}.")
