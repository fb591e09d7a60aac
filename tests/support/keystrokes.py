"""The keystroke-level model of a page: how many faces a minute somebody would answer. A model, not people measured.

Card, Moran and Newell 1980 ("The Keystroke-Level Model for User Performance Time", CACM 23.7):
K = 0.28 s for a key of an average typist, M = 1.35 s to make up one's mind, which falls away between steps that are
fully anticipated (their rule 1). What is seen is timed by the Model Human Processor (Card, Moran and Newell 1983,
chapter 2): to tell of what kind a thing is takes one perceptual, three cognitive and no motor cycle beyond the key's
own, 0.10 + 3 * 0.07 = 0.31 s. A glance at one of several like pictures is a fixation of reading, 0.15 to 0.23 s.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GLANCE", "Typed", "faces_a_minute"]

KEY, MIND, KIND = 0.28, 1.35, 0.31
GLANCE = (0.15, 0.23)
"""From quick to slow: seconds a face that is looked at as one of a group, or scanned on a grid."""


@dataclass(frozen=True)
class Typed:
    """What was typed for a page: `faces` on it, `keys` pressed, and how many faces were judged one after the other,
    each seen alone (`single`); the others were glanced at."""

    faces: int
    keys: int
    single: int = 0

    @property
    def keys_a_face(self) -> float:
        return self.keys / self.faces


def faces_a_minute(typed: Typed, glance: float) -> float:
    """One decision to begin with, the keys, and a look at each face."""
    seconds = MIND + KEY * typed.keys + KIND * typed.single + glance * (typed.faces - typed.single)
    return 60 * typed.faces / seconds
