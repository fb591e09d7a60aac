"""Draws the demo's scenes: photographs as if filmed, with the truth about every face in them.

A photograph is turned by treating the face as half an ellipsoid and shifting its pixels with their depth, which moves
the nose against the outline as a turning head does. Everything is a function of the scene, the frame and the seed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy.ndimage import map_coordinates

from ...curation.pictures import open_picture

__all__ = ["RATE", "SIZE", "DrawnFace", "Photo", "Stage", "scenes"]

SIZE = (640, 360)
RATE = 12
MOUTH_BELOW_CENTRE = 0.24
"""How far below the centre of a face's box its mouth is, in box heights."""

Picture = NDArray[np.uint8]
Box = tuple[float, ...]
"""x, y, width, height in frame pixels."""


@dataclass(frozen=True, slots=True)
class DrawnFace:
    """One face that was drawn: who, "good" / "blurred" / "covered", and where."""

    person: str
    quality: str
    box: Box


@dataclass(frozen=True, slots=True)
class Photo:
    """A photograph, float32 (3, height, width), and the face in it as centre and size of a detector's box."""

    person: str
    planes: NDArray[np.float32]
    centre: tuple[float, float]
    size: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Pose:
    """How a photograph is filmed. `x`, `y` and `face` (width) place the face in the view, in pixels; `roll` is in
    degrees; `yaw` and `pitch` run from -1 to 1; `speak` opens the mouth; `light` darkens or brightens, `side` lights
    from the right (positive) or left; `warm` shifts the colour."""

    x: float
    y: float
    face: float
    roll: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0
    speak: float = 0.0
    light: float = 1.0
    side: float = 0.0
    warm: float = 0.0


def film(photo: Photo, pose: Pose, view: tuple[int, int]) -> tuple[Picture, DrawnFace]:
    """The photograph as a camera in that pose sees it, as a picture of size `view` (width, height)."""
    width, height = view
    face_width, face_height = photo.size
    zoom = pose.face / face_width
    v, u = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = np.deg2rad(pose.roll)
    dx, dy = (u - pose.x) / zoom, (v - pose.y) / zoom
    x = dx * np.cos(angle) + dy * np.sin(angle)
    y = -dx * np.sin(angle) + dy * np.cos(angle)
    depth = np.sqrt(np.clip(1 - (x / (1.15 * face_width)) ** 2 - (y / (1.0 * face_height)) ** 2, 0, None))
    mouth = np.exp(-((x / (0.35 * face_width)) ** 2) - ((y / face_height - MOUTH_BELOW_CENTRE) / 0.16) ** 2)
    x -= pose.yaw * 0.20 * face_width * depth
    y -= pose.pitch * 0.12 * face_height * depth
    y -= pose.speak * 0.35 * mouth * (y - MOUTH_BELOW_CENTRE * face_height)
    at = np.stack([y + photo.centre[1], x + photo.centre[0]])
    planes = [map_coordinates(plane, at, order=1, mode="nearest") for plane in photo.planes]
    lit = np.stack(planes, axis=-1) * _light(pose, u, width)
    shift = (pose.yaw * 0.10 * pose.face, pose.pitch * 0.06 * pose.face * face_height / face_width)
    drawn_height = pose.face * face_height / face_width
    box = (
        pose.x + shift[0] - pose.face / 2,
        pose.y + shift[1] - drawn_height / 2,
        pose.face,
        drawn_height,
    )
    return np.clip(lit, 0, 255).astype(np.uint8), DrawnFace(photo.person, "good", box)


def _light(pose: Pose, u: NDArray[np.float32], width: int) -> NDArray[np.float32]:
    """Gain per pixel and colour band."""
    slope = 1 + pose.side * (u - pose.x) / width
    tint = np.array([1 + pose.warm, 1.0, 1 - pose.warm], np.float32)
    gain = (pose.light * np.clip(slope, 0.2, 1.8))[..., None] * tint
    return np.asarray(gain, np.float32)


@dataclass(frozen=True)
class Stage:
    """The photographs and the source of chance."""

    people: dict[str, Photo]
    others: tuple[Picture, ...]
    places: dict[str, Image.Image]
    seed: int

    @classmethod
    def load(cls, seed: int) -> Stage:
        """Load the photographs from the installed packages. Raises ImportError where one is missing."""
        import matplotlib
        import skimage

        shipped = Path(skimage.__file__).parent / "data"
        hopper = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
        lfw = np.load(shipped / "lfw_subset.npy")
        people = {
            "astronaut": Photo("astronaut", _planes(shipped / "astronaut.png"), (226, 118), (88, 120)),
            "hopper": Photo("hopper", _planes(hopper), (265, 231), (185, 206)),
        }
        names = ("brick", "gravel", "motorcycle_left", "coins", "moon", "coffee")
        files = [*(shipped / f"{name}.png" for name in names), shipped / "hubble_deep_field.jpg"]
        return cls(
            people=people,
            # The first hundred are faces; these few were looked at: sharp for their size and unlike one another.
            others=tuple((lfw[index] * 255).astype(np.uint8) for index in (11, 43, 74, 21, 89, 36, 64, 25)),
            places={file.stem: open_picture(file) for file in files},
            seed=seed,
        )

    def references(self, person: str) -> list[Picture]:
        """Three photographs of a person, 256 pixels square: from the front and turned to both sides."""
        photo = self.people[person]
        poses = (Pose(128, 128, 110), Pose(128, 128, 110, yaw=-0.6), Pose(128, 128, 110, yaw=0.6, light=1.1))
        return [film(photo, pose, (256, 256))[0] for pose in poses]


def _planes(path: Path) -> NDArray[np.float32]:
    pixels = np.asarray(open_picture(path), np.float32)
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


Drawn = tuple[Picture, list[DrawnFace]]


@dataclass(frozen=True)
class _Shot:
    """What a scene's drawing function is given: `at` runs from 0 to 1 through the scene."""

    stage: Stage
    person: str
    guest: str
    index: int
    at: float

    @property
    def first(self) -> bool:
        """Whether this is the astronaut's clip; the other one takes other places and people."""
        return self.person == "astronaut"


def scenes(stage: Stage, person: str, guest: str, *, small: bool) -> Iterator[tuple[str, Picture, list[DrawnFace]]]:
    """(scene, picture, faces) of every frame of a person's clip; `guest` is the other side's person."""
    chance = np.random.default_rng([stage.seed, len(person)])
    for name, length, draw in _SCENES:
        count = max(3, round(length / 3)) if small else length
        for index in range(count):
            at = index / (count - 1)
            picture, faces = draw(_Shot(stage, person, guest, index, at))
            noise = 1.6 * chance.standard_normal(picture.shape[:2], np.float32)[..., None]
            yield name, np.clip(picture + noise, 0, 255).astype(np.uint8), faces


def _pose(shot: _Shot) -> Pose:
    """The person alone in the picture, moving about and talking."""
    turn = 2 * math.pi * shot.at
    scale = 150.0 if shot.first else 165.0
    return Pose(
        x=320 + 70 * math.sin(turn),
        y=(165 if shot.first else 185) + 14 * math.sin(2 * turn),
        face=scale * (1 + 0.16 * math.cos(turn)),
        roll=7 * math.sin(1.5 * turn),
        yaw=0.9 * math.sin(2 * turn + 0.4),
        pitch=0.6 * math.sin(3 * turn),
        speak=0.5 + 0.5 * math.sin(9 * turn),
    )


def _talk(shot: _Shot) -> Drawn:
    picture, face = film(shot.stage.people[shot.person], _pose(shot), SIZE)
    return picture, [face]


def _relit(shot: _Shot) -> Drawn:
    """Evening light from the side, the head tilted."""
    pose = replace(
        _pose(shot),
        light=0.72 + 0.5 * shot.at,
        side=1.1 - 2.2 * shot.at,
        warm=0.12 - 0.2 * shot.at,
        roll=22 * math.sin(2 * math.pi * shot.at),
    )
    picture, face = film(shot.stage.people[shot.person], pose, SIZE)
    return picture, [face]


def _blurred(shot: _Shot) -> Drawn:
    """Out of focus, and moving sideways."""
    picture, face = film(shot.stage.people[shot.person], _pose(shot), SIZE)
    radius = face.box[2] * (0.055 + 0.03 * math.sin(math.pi * shot.at))
    soft = Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius))
    return np.asarray(soft), [replace(face, quality="blurred")]


def _covered(shot: _Shot) -> Drawn:
    """A card is held before half of the face."""
    picture, face = film(shot.stage.people[shot.person], replace(_pose(shot), speak=0.0), SIZE)
    x, y, width, height = face.box
    canvas = Image.fromarray(picture)
    card = shot.stage.places["coffee" if shot.first else "gravel"].resize((round(width), round(height * 0.62)))
    left = x + width * (0.42 if shot.index % 2 else -0.42)
    canvas.paste(card, (round(left), round(y + height * (0.40 + 0.12 * shot.at))))
    return np.asarray(canvas), [replace(face, quality="covered")]


def _board(shot: _Shot) -> Drawn:
    """A wall with prints of other people, one of them the other side's person; the camera moves along it."""
    stage = shot.stage
    wall = stage.places["brick" if shot.first else "gravel"].resize((900, 900)).crop((0, 0, 900, 360))
    wall = wall.point(lambda value: value * 0.8)
    faces: list[DrawnFace] = []
    start = 0 if shot.first else 4
    for place, index in enumerate(range(start, start + 3)):
        spot = (70 + 190 * place, 40 + 45 * (place % 2))
        faces.append(_print(wall, stage.others[index], f"other-{index + 1}", spot, 104 + 14 * place))
    guest, face = film(stage.people[shot.guest], Pose(68, 78, 66), (136, 156))
    wall.paste(Image.new("RGB", (148, 168), "white"), (644, 84))
    wall.paste(Image.fromarray(guest), (650, 90))
    faces.append(replace(face, box=(face.box[0] + 650, face.box[1] + 90, *face.box[2:])))
    offset = round(250 * shot.at)
    picture = np.asarray(wall.crop((offset, 0, offset + 640, 360)))
    moved = [replace(face, box=(face.box[0] - offset, *face.box[1:])) for face in faces]
    return picture, [face for face in moved if face.box[0] + face.box[2] > 0 and face.box[0] < SIZE[0]]


def _print(canvas: Image.Image, grey: Picture, person: str, spot: tuple[int, int], size: int) -> DrawnFace:
    """Hang a print of a 25x25 portrait on the wall."""
    tone = Image.fromarray(grey).resize((size, size), Image.Resampling.LANCZOS)
    bands = [tone.point(lambda value, gain=gain: min(255, value * gain + 14)) for gain in (1.06, 0.90, 0.78)]
    canvas.paste(Image.new("RGB", (size + 10, size + 10), "white"), (spot[0] - 5, spot[1] - 5))
    canvas.paste(Image.merge("RGB", bands), spot)
    # CenterFace's box of these crops, measured: it leaves a strip on both sides and fills the height.
    return DrawnFace(person, "good", (spot[0] + 0.04 * size, spot[1], 0.82 * size, size))


def _place(shot: _Shot) -> Drawn:
    """No person at all, but things in which a detector sees faces."""
    slides = _SLIDES_A if shot.first else _SLIDES_B
    name, scale, start, end, height = slides[shot.index % len(slides)]
    return _slide(shot.stage.places[name], scale, start + (end - start) * shot.at, height), []


_SLIDES_A = (("motorcycle_left", 0.7, 0.40, 0.60, 0.5), ("coins", 3.0, 0.30, 0.55, 0.5))
_SLIDES_B = (("moon", 0.7, 0.55, 0.75, 0.25), ("hubble_deep_field", 2.2, 0.48, 0.52, 0.25))
"""Photograph, scale, where the middle of the view begins and ends across it, and how far down it is: chosen because
CenterFace finds faces there."""


def _slide(place: Image.Image, scale: float, across: float, down: float) -> Picture:
    """A part of a photograph, black where the photograph ends."""
    large = place.resize((round(place.width * scale), round(place.height * scale)))
    left, top = round(large.width * across - SIZE[0] / 2), round(large.height * down - SIZE[1] / 2)
    return np.asarray(large.crop((left, top, left + SIZE[0], top + SIZE[1])))


def _call(shot: _Shot) -> Drawn:
    """A video call: the person large on the left, the guest and a print of somebody else on the right."""
    stage = shot.stage
    turn = 2 * math.pi * shot.at
    pose = replace(_pose(shot), x=205 + 20 * math.sin(turn), face=125 + 10 * math.cos(turn))
    main, face = film(stage.people[shot.person], pose, (410, 360))
    small = Pose(115, 88, 62, yaw=0.7 * math.cos(turn), roll=5 * math.sin(turn), speak=0.5 + 0.5 * math.sin(5 * turn))
    guest, guest_face = film(stage.people[shot.guest], small, (230, 180))
    canvas = Image.new("RGB", SIZE, "black")
    canvas.paste(Image.fromarray(main), (0, 0))
    canvas.paste(Image.fromarray(guest), (410, 0))
    room = stage.places["gravel" if shot.first else "brick"].resize((400, 400)).crop((0, 0, 230, 180))
    canvas.paste(room.point(lambda value: value * 0.6), (410, 180))
    index = 3 if shot.first else 7
    other = _print(canvas, stage.others[index], f"other-{index + 1}", (470 + round(12 * math.sin(turn)), 210), 116)
    beside = replace(guest_face, box=(guest_face.box[0] + 410, *guest_face.box[1:]))
    return np.asarray(canvas), [face, beside, other]


_SCENES: tuple[tuple[str, int, Callable[[_Shot], Drawn]], ...] = (
    ("talk", 28, _talk),
    ("board", 10, _board),
    ("relit", 14, _relit),
    ("place", 8, _place),
    ("blurred", 9, _blurred),
    ("covered", 9, _covered),
    ("call", 12, _call),
)
"""Scene, frames at full length, drawing function."""
