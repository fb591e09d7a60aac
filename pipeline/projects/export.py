"""A project as one file: page, terms, and the tables that were sent, for another workspace or another program."""

from __future__ import annotations

import io
import zipfile

from ...curation.spreadsheet import csv_text
from .batches import sent_batches
from .project import Project

__all__ = ["exported"]


def exported(project: Project) -> bytes:
    """A zip of NAME/project.toml, NAME/template.html and NAME/BATCH.csv for each batch.

    Unpacked into another workspace's `projects/` it is the project there, with nothing sent; the page and the tables
    are also what Mechanical Turk's website took. The same project gives the same bytes.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("project.toml", "template.html"):
            _put(archive, f"{project.name}/{name}", (project.folder / name).read_bytes())
        for batch in sent_batches(project):
            _put(archive, f"{project.name}/{batch.key}.csv", csv_text(batch.table.frame()).encode())
    return out.getvalue()


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED)
