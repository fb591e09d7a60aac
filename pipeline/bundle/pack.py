"""Packing: approved faces, Galloway's own code and the manifest in one folder. The same input gives the same bytes."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.metadata import distribution
from pathlib import Path

from ... import curation, mturk, templates
from ...curation.files import replacing
from ...curation.types import Progress, Side
from ..app import App
from ..consent.gate import check_consent, check_model, consent_fingerprints
from ..judging.painted import painted_faces
from ..stages.picking import best_of
from ..stages.train import TrainOptions, approved_facesets, called_covered
from ..video.facts import sha256_of
from ..workspace.runs import Run
from .manifest import Manifest, Pack, write_manifest

__all__ = ["GO", "Where", "make_bundle"]

GO = "go.py"
"""The program that a machine starts with nothing but Python."""
_EPOCH = (1980, 1, 1, 0, 0, 0)
_WHEEL = b"Wheel-Version: 1.0\nGenerator: galloway\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@dataclass(frozen=True, slots=True)
class Where:
    """What is known of the machine: where its faceswap and faceswap's Python are, "" for the embedded engine."""

    faceswap_home: str = ""
    faceswap_python: str = ""


def make_bundle(
    app: App,
    run: Run,
    options: TrainOptions,
    folder: Path,
    where: Where,
    progress: Progress,
    tell: Callable[[str], None],
) -> Manifest:
    """Pack the training of `run` into `folder`; what lies there already with the right bytes stays as it is. `tell`
    gets what people painted and is not packed, and why.

    Raises NotApproved where facesets are not approved, or consent does not cover a training.
    """
    check_consent(app, "train")
    approved = approved_facesets(app)
    folder.mkdir(parents=True, exist_ok=True)
    packs = {}
    for side in Side:
        short = hashlib.sha256(approved[side].digest.encode()).hexdigest()[:16]
        best = options.best if side is Side.B else None
        path = folder / f"faces-{side.value}-{short}{'' if best is None else f'-best-{best}'}.tar"
        faces = _faces(app, side, best, options.seed)
        packs[side.value] = Pack(
            path.name, _packed(path, faces, side.value, progress), len(faces), approved[side].digest
        )
    wheel = _wheel(folder)
    shutil.copyfile(Path(__file__).with_name(GO), folder / GO)
    model_dir = app.workspace.inside(run.record["model_dir"])
    check_model(app, run.record["model_dir"])
    manifest = Manifest(
        run=run.id,
        engine=run.record["engine"],
        options=replace(options, options=tuple(sorted(options.options))),
        packs=packs,
        wheel=wheel.name,
        wheel_sha256=sha256_of(wheel),
        covered=tuple(sorted(face.name for face in called_covered(app))),
        painted=painted_faces(app, tell),
        start=_start(model_dir, folder),
        consents={side: tuple(items) for side, items in consent_fingerprints(app).items()},
        versions=dict(run.record["versions"]),
        faceswap_home=where.faceswap_home,
        faceswap_python=where.faceswap_python,
    )
    write_manifest(folder, manifest)
    return manifest


def _faces(app: App, side: Side, best: int | None, seed: int) -> list[Path]:
    """All faces of a side, or the best for the clip."""
    folder = app.workspace.faces_dir(side)
    if best is None:
        return sorted(folder.glob("*.png"))
    return sorted(folder / name for name in best_of(app, best, seed=seed).chosen)


def _packed(path: Path, faces: list[Path], side: str, progress: Progress) -> str:
    """Write a tar of these files, in their order and without anything of their owner; its SHA-256."""
    if not path.is_file():
        with replacing(path) as partial, tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as tar:
            for done, face in enumerate(faces, 1):
                info = tarfile.TarInfo(face.name)
                data = face.read_bytes()
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
                progress(f"packing side {side}", done, len(faces))
    return sha256_of(path)


def _wheel(folder: Path) -> Path:
    """Galloway as it runs here, as a wheel: the machine's pip reads from it what else it needs."""
    metadata = distribution("galloway")
    info = f"galloway-{metadata.version}.dist-info"
    said = metadata.read_text("METADATA") or metadata.read_text("PKG-INFO") or ""
    files = [*_sources(), (f"{info}/METADATA", said.encode()), (f"{info}/WHEEL", _WHEEL)]
    record = [f"{name},sha256={_encoded(data)},{len(data)}" for name, data in files] + [f"{info}/RECORD,,"]
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, data in [*files, (f"{info}/RECORD", ("\n".join(record) + "\n").encode())]:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data, zipfile.ZIP_DEFLATED)
    path = folder / f"galloway-{metadata.version}-py3-none-any.whl"
    if not path.is_file() or path.read_bytes() != held.getvalue():
        with replacing(path) as partial:
            partial.write_bytes(held.getvalue())
    return path


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _sources() -> Iterator[tuple[str, bytes]]:
    """Every file of the package under its installed name, whether it is installed or a checkout."""
    pipeline = Path(__file__).parent.parent
    rooms = {room.__name__.split(".")[-1]: Path(next(iter(room.__path__))) for room in (curation, mturk, templates)}
    rooms["pipeline"] = pipeline
    top = Path(__file__).resolve().parents[2] / "galloway"
    if not top.is_dir():
        top = pipeline.parent
    for path in sorted(top.glob("*.py")):
        yield f"galloway/{path.name}", path.read_bytes()
    for room, root in sorted(rooms.items()):
        for path in sorted(root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"galloway/{room}/{path.relative_to(root).as_posix()}", path.read_bytes()


def _start(model_dir: Path, folder: Path) -> dict[str, str]:
    """The model that is there, copied for the machine: file name → SHA-256."""
    found: dict[str, str] = {}
    target = folder / "start"
    shutil.rmtree(target, ignore_errors=True)
    if not model_dir.is_dir():
        return found
    for path in sorted(model_dir.iterdir()):
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(".bk"):
            target.mkdir(exist_ok=True)
            shutil.copyfile(path, target / path.name)
            found[path.name] = sha256_of(target / path.name)
    return found
