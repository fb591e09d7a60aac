"""What is known of each face, pixel by pixel: what covers it, what is face, and what nobody can say yet.

Of a person on whose faces people painted nobody said that nothing stands before the other faces, and what stands before
most of them would be learnt as face. So of those is known at first what looks like the painted ones, patch by patch
(`matched`). What does not is face unless the net doubts it where nobody painted anything, and where somebody did what
the net, once it is taught, is sure of (pseudo-labels: Lee 2013).
Of other persons a face is taken for uncovered as a whole, or as a whole is not; where people called it covered and the
trained net is sure where, that is known, too, and teaches what lies before the others that they called so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, maximum_filter

from .faces import Faces
from .ground import unlike_others
from .matched import matched

__all__ = ["Known"]

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
Masks = NDArray[np.bool_]

_DOUBTFUL = 0.04
"""A face of which the net sees more than this share covered is not taken for uncovered."""
_AROUND = 7
"""Pixels about what anybody painted in which the other faces of the person may be covered, too."""
_PERHAPS, _HIDDEN = 0.2, 0.4
"""From which likelihood on a pixel may be covered, and from which it is no part of the person's ground."""
_FACE, _THING = 0.1, 0.95
"""Below and above which likelihood the net is believed where anybody painted."""
_LEAST = 0.01
"""Share of a face that the net must be sure is covered where people say that it is, to be believed about the rest."""
_NEAR = (5, 3, 3)
"""So many faces that follow each other, and pixels across them, must all look like face before one of them is."""


@dataclass
class Known:
    """What of `faces` teaches.

    `covered` (n, SIDE, SIDE) is what lies before each, where that is `sure` (n, SIDE, SIDE); `hidden` (n, SIDE, SIDE)
    is no part of the person's uncovered face. Something unknown is on faces that are `doubtful` (n,), told or found.
    What was painted is no longer looked for on other faces once `stop()` says so.
    """

    faces: Faces
    stop: Callable[[], bool] = lambda: False
    covered: Masks = field(init=False)
    sure: Masks = field(init=False)
    hidden: Masks = field(init=False)
    doubtful: Masks = field(init=False)
    _zone: Masks = field(init=False)
    _matched: tuple[Masks, Masks] = field(init=False)

    def __post_init__(self) -> None:
        faces = self.faces
        self.covered, self.hidden = faces.marks.copy(), faces.marks.copy()
        self.sure = np.ones(faces.marks.shape, np.bool_)
        self._zone = binary_dilation(faces.marks.any(axis=0), iterations=_AROUND)
        self.doubtful = faces.told.copy()
        # Until the net can say: what lies before faces that nobody called covered must not be learnt as theirs.
        for number in np.unique(faces.whose):
            rows = np.flatnonzero((faces.whose == number) & ~faces.told)
            self.doubtful[rows] = unlike_others(faces.images[rows], faces.shapes[rows])
        self.doubtful[faces.painted] = False
        self._match()

    def _match(self) -> None:
        faces, rows = self.faces, self.beside_paint
        covered, sure = np.zeros_like(self.covered), np.zeros_like(self.sure)
        for number in np.unique(faces.whose[rows]):
            own = np.flatnonzero(rows & (faces.whose == number))
            painted = faces.painted[faces.whose[faces.painted] == number]
            covered[own], sure[own] = matched(faces, own, painted, self.stop)
        self._matched = covered[rows], sure[rows]
        self.covered[rows], self.sure[rows] = self._matched
        self.hidden[rows] = covered[rows] | ~sure[rows]
        self.doubtful[rows] = False

    @property
    def beside_paint(self) -> Masks:
        """Which faces nobody painted, of a person on whose faces people did (n,)."""
        painted = self.faces.marks.any(axis=(1, 2))
        return np.isin(self.faces.whose, self.faces.whose[painted]) & ~painted

    def clean(self) -> Numbers:
        """The faces of which all that is not `hidden` is taken for face: all where there is none."""
        rows = np.flatnonzero(~self.doubtful)
        return rows if len(rows) else np.arange(len(self.faces))

    def teaching(self) -> Numbers:
        """The faces of which is known, where they are `sure`, what covers them."""
        return np.intersect1d(self.clean(), np.flatnonzero(self.sure.any(axis=(1, 2))))

    def hard(self) -> Numbers:
        """The faces of which only that something covers them is known."""
        return np.flatnonzero(self.doubtful)

    def looked(self, found: Floats, *, trained: bool) -> None:
        """Take note of how likely the net finds the pixels of the faces covered (n, SIDE, SIDE).

        Never doubts more than half of those that people do not call covered: then it is the net that is wrong. A net
        that is `trained` is also believed where anybody painted, and about faces that people called covered.
        """
        rows = self.beside_paint
        self.doubtful = self.faces.told & ~rows
        self.doubtful[self.faces.painted] = False
        untold = ~self.faces.told & ~rows
        if untold.any():
            shares = self.faces.shares(found)
            self.doubtful |= untold & (shares > max(_DOUBTFUL, float(np.median(shares[untold]))))
        if trained:
            self._told_of(found)
        likely, zone = found[rows], self._zone
        self.hidden[rows] = likely > _HIDDEN
        self.sure[rows] = ~zone & (likely < _PERHAPS)
        if trained:
            self.covered[rows] = zone & (likely > _THING)
            self.sure[rows] |= zone & ((self._near(found)[rows] < _FACE) | (likely > _THING))
        else:
            # What lies before those that people called covered must not be taken for face before the net can say.
            told = np.flatnonzero(rows & self.faces.told)
            self.sure[told], self.hidden[told] = False, True
        covered, sure = self._matched
        self.covered[rows] = np.where(sure, covered, self.covered[rows])
        self.hidden[rows] = np.where(sure, covered, self.hidden[rows])
        self.sure[rows] |= sure

    def _told_of(self, found: Floats) -> None:
        """Of persons on whose faces nobody painted: where those faces are covered that people called so, if the net is
        sure of as much as must be."""
        faces, near, thing = self.faces, self._near(found), found > _THING
        alone = ~np.isin(faces.whose, faces.whose[faces.painted])
        rows = faces.told & alone & (faces.shares(thing.astype(np.float32)) > _LEAST)
        self.covered[rows], self.hidden[rows] = thing[rows], found[rows] > _HIDDEN
        self.sure[rows] = thing[rows] | (near[rows] < _FACE)
        self.doubtful[rows] = False

    def _near(self, found: Floats) -> Floats:
        """The likeliest of what is `found` about each pixel, and on the person's faces before and behind it; what was
        painted is certain."""
        near = found.copy()
        near[self.faces.painted] = self.faces.marks[self.faces.painted]
        for number in np.unique(self.faces.whose[self.faces.told]):
            rows = self.faces.whose == number
            near[rows] = maximum_filter(near[rows], _NEAR)
        return near

    def covered_faces(self, found: Floats) -> int:
        """How many faces are called covered, painted or found so."""
        return int((self.faces.told | (self.faces.shares(found) > _DOUBTFUL)).sum())
