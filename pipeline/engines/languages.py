"""Languages of tracks: ISO 639-2 has two codes for some, and QuickTime's list, which a .mov keeps, has one of them."""

from __future__ import annotations

__all__ = ["in_quicktime", "language"]

_TWICE = {
    "alb": "sqi", "arm": "hye", "baq": "eus", "bur": "mya", "chi": "zho", "dut": "nld", "geo": "kat", "ger": "deu",
    "gre": "ell", "ice": "isl", "mac": "mkd", "may": "msa", "per": "fas", "tib": "bod", "wel": "cym", "sve": "swe",
}  # fmt: skip
"""Code for bibliographies -> code for terminology (ISO 639-2). FFmpeg's mov muxer knows these by the first alone, and
Swedish by a code of its own."""
_OTHER = {"cze": "ces", "fre": "fra", "mao": "mri", "rum": "ron", "slo": "slk"}
"""The same for those that it knows by the second."""
_BACK = {term: book for book, term in _TWICE.items()}


def language(code: str) -> str:
    """One code for each language, whichever of its two is given."""
    return _TWICE.get(code) or _OTHER.get(code) or code


def in_quicktime(code: str) -> str:
    """The code by which a .mov keeps a language; one that is not on its list is lost there."""
    return _BACK.get(language(code), language(code))
