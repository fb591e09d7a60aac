"""Content Credentials (C2PA): written into a finished film as the last step, and read back.

The manifest has the source film as its ingredient, the IPTC source type of a composite made by a trained model, and one
assertion of ours, `org.galloway.swap`: run, facesets, consent records and votes, all by hash; it names nobody.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...curation.files import replacing
from ...extras import install, require
from ..errors import StageError
from .signer import Identity

__all__ = ["ASSERTION", "Credentials", "can_hold", "missing", "read_credentials", "sign"]

ASSERTION = "org.galloway.swap"
_FORMATS = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/quicktime", ".avi": "video/avi"}
_EDITED = {
    "action": "c2pa.edited",
    "description": "A face was replaced by a trained model.",
    "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia",
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a film's Content Credentials say. `holds`: the film is, byte for byte, what was signed; `faults` say why
    not. `trusted`: the signer is on a trust list. `said` is our own assertion, empty in other programs' films."""

    holds: bool
    trusted: bool
    signer: str
    made_with: str
    signed_at: str
    faults: tuple[str, ...]
    said: Mapping[str, Any]


def can_hold(path: Path) -> bool:
    """Whether C2PA knows how to put a manifest into such a file."""
    return path.suffix.lower() in _FORMATS


def sign(film: Path, source: Path, identity: Identity, said: Mapping[str, Any]) -> None:
    """Sign `film` in place: it is replaced when the signed copy is whole. Nothing may change it afterwards.

    `source` is the film it was made from, or a folder of frames, which cannot be an ingredient. Raises StageError where
    the library refuses, MissingExtra without it.
    """
    require("c2pa")
    import c2pa

    info = c2pa.C2paSignerInfo(
        alg=identity.algorithm.encode(), sign_cert=identity.chain, private_key=identity.key, ta_url=None
    )
    try:
        with c2pa.Signer.from_info(info) as signer, c2pa.Builder(json.dumps(_manifest(said))) as builder:
            kind = _FORMATS.get(source.suffix.lower()) if source.is_file() else None
            if kind is None:
                composite = c2pa.C2paDigitalSourceType.COMPOSITE_WITH_TRAINED_ALGORITHMIC_MEDIA
                builder.set_intent(c2pa.C2paBuilderIntent.CREATE, composite)
            else:
                builder.set_intent(c2pa.C2paBuilderIntent.EDIT)  # "opened", of the parent that comes with it
                with source.open("rb") as stream:
                    what = {"title": "the source film", "relationship": "parentOf"}
                    builder.add_ingredient(json.dumps(what), kind, stream)
            with replacing(film) as draft, film.open("rb") as before, draft.open("w+b") as after:
                builder.sign(signer, _FORMATS[film.suffix.lower()], before, after)
    except c2pa.C2paError as error:
        raise StageError(f"{film} could not be signed: {error}. It is whole, and not signed.") from error


def _manifest(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "claim_generator_info": [{"name": "Galloway", "version": version("galloway")}],
        "title": "Face swap",
        "assertions": [
            {"label": "c2pa.actions", "data": {"actions": [_EDITED]}},
            {"label": ASSERTION, "data": dict(said)},
        ],
    }


def read_credentials(path: Path) -> Credentials | None:
    """The Content Credentials of a film; None where it has none. Raises StageError where they cannot be read."""
    require("c2pa")
    import c2pa

    if not can_hold(path):
        return None
    try:
        with path.open("rb") as stream, c2pa.Reader(_FORMATS[path.suffix.lower()], stream) as reader:
            found, state = json.loads(reader.json()), reader.get_validation_state()
    except c2pa.C2paError as error:
        if "ManifestNotFound" in type(error).__name__ or "no JUMBF data" in str(error):
            return None
        return Credentials(False, False, "", "", "", (str(error),), {})
    return _credentials(found, str(state))


def _credentials(found: Mapping[str, Any], state: str) -> Credentials:
    manifest = found["manifests"][found["active_manifest"]]
    signature = manifest.get("signature_info") or {}
    failures = ((found.get("validation_results") or {}).get("activeManifest") or {}).get("failure") or []
    faults = tuple(str(item["code"]) for item in failures if item["code"] != "signingCredential.untrusted")
    made = (manifest.get("claim_generator_info") or [{}])[0]
    own: Mapping[str, Any] = next(
        (item["data"] for item in manifest.get("assertions", ()) if item["label"] == ASSERTION), {}
    )
    return Credentials(
        holds=state in ("Valid", "Trusted"),
        trusted=state == "Trusted",
        signer=str(signature.get("issuer") or signature.get("common_name") or "unknown"),
        made_with=" ".join(str(made.get(key, "")) for key in ("name", "version")).strip(),
        signed_at=str(signature.get("time") or ""),
        faults=faults,
        said=own,
    )


def missing() -> str:
    """Why nothing is signed here; "" where it can be."""
    from importlib.util import find_spec

    return "" if find_spec("c2pa") else f"Content Credentials are signed with: {install('provenance')}"
