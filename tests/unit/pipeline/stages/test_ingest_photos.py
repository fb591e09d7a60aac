"""Photographs as people have them: named in any script, some broken, in folders of folders, with a list of sources."""

from __future__ import annotations

import json
import os
import tempfile
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from click.testing import CliRunner
from galloway.curation.faceset.fsa.alignments import read_alignments
from galloway.curation.faceset.png.headers import read_header
from galloway.curation.files import picture_files
from galloway.curation.types import Side, no_progress
from galloway.pipeline.app import App
from galloway.pipeline.cli.main import cli
from galloway.pipeline.consent.kept import records
from galloway.pipeline.engines.base import ExtractRequest
from galloway.pipeline.engines.embedded.detect import Detection, Found
from galloway.pipeline.engines.embedded.engine import EmbeddedEngine
from galloway.pipeline.engines.frames import load_picture, open_source
from galloway.pipeline.errors import StageError
from galloway.pipeline.stages.ingest import add_references, footage_in, ingest
from galloway.pipeline.stages.setup import make_workspace
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.support.engines import landmarks_at
from tests.support.workspace import galloway

WORLD = ("照片.png", "写真.png", "爱丽丝.png", "艾丽斯.png", "фото.png", "εικόνα.png", "صورة.png", "사진.png")


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(make_workspace(tmp_path / "swap")[0])


def photos(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for number, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 6), (number * 20, 90, 10)).save(path)
    return folder


def colours(folder: Path) -> list[int]:
    found = []
    for path in folder.iterdir():
        with Image.open(path) as picture:
            found.append(round(picture.convert("RGB").getpixel((0, 0))[0]))  # type: ignore[index]
    return sorted(found)


def test_pictures_named_in_every_script_all_come_in_under_their_names(app: App, tmp_path: Path) -> None:
    done = ingest(app, photos(tmp_path / "世界", *WORLD), Side.B, person="", basis="own")
    assert done.source.name == "世界"
    assert sorted(item.name for item in done.source.path.iterdir()) == sorted(f"世界_{name}" for name in WORLD)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([1, 2, 3, 4, 9, 10, 11, 13, 14], "5 numbers of shot/f… are missing: shot/f0005 to shot/f0008, shot/f0012."),
        ([1, 2, 4, 5], "1 number of shot/f… is missing: shot/f0003."),
        ([7, 8, 9, 10], ""),
        ([1, 2, 40, 77, 90], ""),
        ([1, 3], ""),
    ],
)
def test_numbers_that_lack_among_frames_are_named(app: App, tmp_path: Path, numbers: list[int], told: str) -> None:
    names = [f"shot/f{number:04d}.png" for number in numbers]
    done = ingest(app, photos(tmp_path / "frames", "still.png", *names), Side.A, person="", basis="own")
    assert [note[: len(told)] for note in done.notes] == ([told] if told else [])


def test_names_that_become_equal_stay_apart(app: App, tmp_path: Path) -> None:
    names = ("IMG_1.PNG", "IMG_1.png", "img 1.png", "IMG-1.png", "x.png", "x.bmp", "x'.png", "-x.png")
    done = ingest(app, photos(tmp_path / "p", *names), Side.B, person="", basis="own")
    stems = {item.stem.casefold() for item in done.source.path.iterdir()}
    assert len(stems) == len(names)
    assert colours(done.source.path) == [20 * number for number in range(len(names))]


def test_frames_of_a_film_keep_their_order_whatever_their_numbers_look_like(app: App, tmp_path: Path) -> None:
    names = [f"shot_{number}.png" for number in range(1, 13)]
    done = ingest(app, photos(tmp_path / "shot", *names), Side.A, person="", basis="own")
    names = [item.name for item in picture_files(done.source.path)]
    assert names[:3] == ["shot_shot-01.png", "shot_shot-02.png", "shot_shot-03.png"]
    shown = [int(frame.image[0, 0, 0]) for frame in open_source(done.source.path).read()]
    assert shown == [20 * number for number in range(12)], "1, 10, 11, 12, 2 … before"


def test_a_name_of_240_characters(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / ("f" * 200), "n" * 235 + ".png", "n" * 234 + "m.png")
    done = ingest(app, folder, Side.B, person="", basis="own")
    kept = [item.name for item in done.source.path.iterdir()]
    assert len(kept) == 2
    assert max(len(name) for name in kept) < 200


FOLDED = st.lists(
    st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=40)
    .filter(lambda name: not name.startswith(".") and len(name.encode()) <= 200)
    .map(lambda name: f"{name}.png"),
    min_size=1,
    max_size=6,
    unique=True,
)


@given(FOLDED)
@settings(max_examples=40)
def test_as_many_pictures_are_kept_as_were_given(begin_elsewhere: Callable[[], None], names: list[str]) -> None:
    begin_elsewhere()
    with tempfile.TemporaryDirectory() as room:
        app = App(make_workspace(Path(room) / "swap")[0])
        done = ingest(app, photos(Path(room) / "given", *names), Side.B, person="", basis="own")
        assert colours(done.source.path) == [20 * number for number in range(len(names))]
        app.workspace.db.dispose()


class OneFaceEach:
    """Stands for the detector: every picture is a face."""

    def __init__(self, **_settings: object) -> None:
        pass

    def search(self, image: np.ndarray) -> list[Found]:
        return [((0.0, 0.0, float(image.shape[1]), float(image.shape[0])), 0.9)]

    def detections(self, _image: np.ndarray, found: list[Found], _min_size: float) -> list[Detection]:
        return [Detection(box, score, landmarks_at(4, 3, 4)) for box, score in found]


LIKE = "aAéÉe\u0301ßﬁｆｉİıIiσςΣК写照\u2126Ω'\"`-–_ .()$;%~\u200d"
FORMS = (str, str.upper, str.lower, partial(unicodedata.normalize, "NFD"), partial(unicodedata.normalize, "NFKC"))
ENDINGS = st.sampled_from((".png", ".PNG", ".bmp", ".tif"))


def alike(stems: list[str]) -> st.SearchStrategy[list[str]]:
    """Names of few stems in several forms and endings, so that what is equal after a reduction is there often."""
    formed = st.tuples(st.sampled_from(stems), st.sampled_from(FORMS)).map(lambda drawn: drawn[1](drawn[0]))
    names = st.tuples(formed, ENDINGS).map("".join).filter(lambda name: not name.startswith("."))
    return st.lists(names, min_size=1, max_size=8, unique=True)


ALIKE = st.lists(st.text(st.sampled_from(LIKE), min_size=1, max_size=6), min_size=1, max_size=3).flatmap(alike)


@given(ALIKE)
@settings(max_examples=20)
def test_as_many_faces_come_out_as_pictures_went_in(
    monkeypatch: pytest.MonkeyPatch, begin_elsewhere: Callable[[], None], names: list[str]
) -> None:
    begin_elsewhere()
    monkeypatch.setattr("galloway.pipeline.engines.embedded.extract.FaceFinder", OneFaceEach)
    with tempfile.TemporaryDirectory() as room:
        app = App(make_workspace(Path(room) / "swap")[0])
        given_ = photos(Path(room) / "given", *names)
        done = ingest(app, given_, Side.B, person="", basis="own")
        assert len({unicodedata.normalize("NFKC", path.name.casefold()) for path in done.source.path.iterdir()}) == len(
            names
        )
        for place, folder in enumerate((done.source.path, given_)):
            root = Path(room) / str(place)
            request = ExtractRequest(folder, root / "faces", root / "x.fsa", root / "work", size=64, min_size=1)
            found = EmbeddedEngine().extract(request, no_progress)
            kept = {path.name.casefold() for path in request.faces_dir.iterdir()}
            assert len(kept) == len(found.faces) == len(names) == len(read_alignments(request.alignments).frames)
            frames = {read_header(request.faces_dir / name).source.source_filename for name in found.faces}
            assert frames == {path.name for path in folder.iterdir()}
        app.workspace.db.dispose()


def test_references_of_one_name_are_all_kept_and_the_same_one_only_once(app: App, tmp_path: Path) -> None:
    one = photos(tmp_path / "one", "ann.png", "安.png", "Ann.png")
    two = photos(tmp_path / "two", "other.png", "ann.png")
    given_ = [one / "ann.png", one / "安.png", one / "Ann.png", two / "ann.png"]
    written = add_references(app, Side.A, given_)
    again = add_references(app, Side.A, given_)
    assert len({path.name.casefold() for path in written}) == 4
    assert sorted(again) == sorted(written)


def test_broken_pictures_are_all_named_and_the_others_come_in(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / "p", "good.png", "cut.png", "fine.jpg")
    (folder / "cut.png").write_bytes((folder / "good.png").read_bytes()[:50])
    (folder / "empty.jpg").write_bytes(b"")
    (folder / "page.jpg").write_text("<html>not found</html>", encoding="utf-8")
    (folder / "huge.bmp").write_bytes(_claimed_bmp(60_000, 60_000))
    run = galloway(app, "ingest", "--side", "b", str(folder), "--basis", "own", "--json")
    assert run.returncode == 0, run.stderr
    (told,) = json.loads(run.stdout)["sources"]
    assert sorted(line.split(" ")[0] for line in told["broken"]) == ["cut.png", "empty.jpg", "huge.bmp", "page.jpg"]
    assert "Left out because they cannot be read: 4 pictures" in run.stderr
    kept = sorted(item.name for item in app.workspace.sources_dir(Side.B).joinpath("p").iterdir())
    assert kept == ["p_fine.jpg", "p_good.png"]


def _claimed_bmp(width: int, height: int) -> bytes:
    head = b"BM" + (54).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    size = width.to_bytes(4, "little") + height.to_bytes(4, "little")
    return head + (40).to_bytes(4, "little") + size + b"\1\0\x18\0" + bytes(24)


def test_only_broken_pictures_are_an_error_that_names_them(app: App, tmp_path: Path) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    for name in ("a.jpg", "b.png"):
        (folder / name).write_bytes(b"nothing")
    with pytest.raises(StageError, match=r"(?s)Not one picture.*a\.jpg.*b\.png"):
        ingest(app, folder, Side.B, person="", basis="own")


def test_pictures_in_folders_below_come_in_with_the_folders_name(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / "all", "1.png", "day 1/1.png", "day 2/1.png", ".thumbs/1.png")
    done = ingest(app, folder, Side.B, person="", basis="own")
    assert sorted(item.name for item in done.source.path.iterdir()) == [
        "all_1.png",
        "all_day-1-1.png",
        "all_day-2-1.png",
    ]


def test_loose_pictures_are_one_source(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / "shots", "1.png", "2.png", "3.png")
    (footage,) = footage_in([folder / "1.png", folder / "3.png"])
    first = ingest(app, footage, Side.B, person="", basis="own")
    assert sorted(item.name for item in first.source.path.iterdir()) == ["shots_1.png", "shots_3.png"]
    assert not ingest(app, footage, Side.B, person="", basis="own").added
    (other,) = footage_in([folder / "2.png"])
    assert ingest(app, other, Side.B, person="", basis="own").source.name == "2"


def test_loose_pictures_of_several_folders_are_one_source_where_that_is_said(app: App, tmp_path: Path) -> None:
    """As a browser's uploads lie: each in a folder of its own, and two may have one name."""
    (one,) = sorted(photos(tmp_path / "1", "b.png").iterdir())
    (two,) = sorted(photos(tmp_path / "2", "a.png").iterdir())
    namesake = tmp_path / "3" / "b.png"
    photos(tmp_path / "3", "x.png", "b.png")
    table = tmp_path / "4" / "urls.csv"
    table.parent.mkdir()
    table.write_text("file,licence\na.png,CC0\nb.png,CC-BY\n")
    (tmp_path / "3" / "bad.png").write_bytes(b"no picture")
    given = [one, table, two, namesake, tmp_path / "3" / "bad.png"]
    assert len(footage_in(given)) == 4, "without the word: those of one folder, and a table without pictures"
    (footage,) = footage_in(given, together=True)
    done = ingest(app, footage, Side.B, person="", basis="licence")
    assert done.source.name == "photographs"
    named = {path.name: path.read_bytes() for path in done.source.path.iterdir()}
    assert set(named) == {"photographs_a.png", "photographs_b.png", "photographs_b-2.png"}
    assert {named["photographs_b.png"], named["photographs_b-2.png"]} == {one.read_bytes(), namesake.read_bytes()}
    record = json.loads(app.workspace.source_record(Side.B, "photographs").read_text(encoding="utf-8"))
    assert [row.get("licence") for row in record["pictures"]] == ["CC0", None, None]
    assert done.notes == ("urls.csv tells of b.png, and several pictures are called so: nothing was noted of them.",)
    assert len(done.broken) == 1 and done.broken[0].startswith("bad.png")
    (again,) = footage_in(given[::-1], together=True)
    assert not ingest(app, again, Side.B, person="", basis="licence").added, "in whichever order they are named"


def test_a_table_named_with_loose_pictures_tells_of_them(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / "p", "1.png", "2.png")
    (folder / "urls.csv").write_text("file,licence\n1.png,CC0\n2.png,CC0\n")
    (footage,) = footage_in(sorted(folder.iterdir()))
    ingest(app, footage, Side.B, person="", basis="licence")
    record = json.loads(app.workspace.source_record(Side.B, "p").read_text(encoding="utf-8"))
    assert [row["licence"] for row in record["pictures"]] == ["CC0", "CC0"]
    (alone,) = footage_in([folder / "urls.csv"], together=True)
    with pytest.raises(StageError, match=r"urls\.csv says where photographs came from, and none was given with it"):
        ingest(app, alone, Side.B, person="", basis="licence")
    other = tmp_path / "q" / "urls.csv"
    other.parent.mkdir()
    other.touch()
    with pytest.raises(StageError, match="two tables"):
        footage_in([folder / "urls.csv", other], together=True)


def test_what_urls_csv_says_goes_into_the_record(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / "p", "照.png", "two.png", "three.png")
    table = (
        "File,URL,Licence,Person,Date\n照.png,https://example.org/1,CC0,Ann,2024-05-03\nnone.png,x,,,\ntwo.png,,,Bob,\n"
    )
    (folder / "urls.csv").write_text(table, encoding="utf-8-sig")
    done = ingest(app, folder, Side.B, person="Ann", basis="licence")
    record = json.loads((app.workspace.sources_dir(Side.B) / "p.source.json").read_text(encoding="utf-8"))
    assert {"file": "two.png", "as": "p_two.png", "person": "Bob"} in record["pictures"]
    assert {
        "file": "照.png", "as": "p_照.png", "source": "https://example.org/1", "licence": "CC0", "person": "Ann",
        "date": "2024-05-03",
    } in record["pictures"]  # fmt: skip
    assert [note.split(",")[0] for note in done.notes] == [
        "urls.csv has 1 rows without a picture that came in",
        "urls.csv says nothing of 1 pictures",
    ]
    assert done.skipped == ()


@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_urls_csv_may_come_from_any_spreadsheet(app: App, tmp_path: Path, sign: str) -> None:
    decomposed = "U\u0308bung.png"
    folder = photos(tmp_path / "p", decomposed, "two.png", "three.png")
    (folder / "sub").mkdir()
    photos(folder / "sub", "four.png")
    rows = [
        ("file", "source", "licence"),
        ("\u00dcbung.png", "https://example.org/1", "CC0"),
        ("sub\\four.png", "https://example.org/4", "frei für Zoë"),
        ("two.png", "https://example.org/2", f"a{sign}b"),
    ]
    table = "\n".join(sign.join(row) for row in rows)
    (folder / "urls.csv").write_text(table, encoding="cp1252")
    done = ingest(app, folder, Side.B, person="Ann", basis="licence")
    record = json.loads((app.workspace.sources_dir(Side.B) / "p.source.json").read_text(encoding="utf-8"))
    told = {picture["file"]: picture.get("licence") for picture in record["pictures"]}
    assert told == {decomposed: "CC0", "sub/four.png": "frei für Zoë", "two.png": None, "three.png": None}
    (consent,) = records(app.workspace.root)
    (material,) = consent.material
    assert [row["file"] for row in material.pictures] == [decomposed, "sub/four.png"]
    shown = CliRunner().invoke(cli, ["-w", str(app.workspace.root), "person", "show", "Ann"]).output
    assert "side b, p: sub/four.png, https://example.org/4, frei für Zoë" in shown
    assert "urls.csv: line 4 has more cells than the first line and was left out; quote it." in done.notes


def test_a_urls_csv_without_file_names_is_refused(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / "p", "1.png")
    (folder / "urls.csv").write_text("https://example.org/1\n", encoding="utf-8")
    with pytest.raises(StageError, match="has no column named file"):
        ingest(app, folder, Side.B, person="", basis="own")


def test_phone_pictures_come_in(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / "phone", "IMG_1.avif")
    pillow_heif.from_pillow(Image.new("RGB", (64, 48), (200, 30, 30))).save(folder / "IMG_2.HEIC")
    done = ingest(app, folder, Side.B, person="", basis="own")
    assert sorted(item.name for item in done.source.path.iterdir()) == ["phone_IMG-1.avif", "phone_IMG-2.heic"]
    frames = {frame.name: frame.image for frame in open_source(done.source.path).read()}
    assert np.abs(frames["phone_IMG-2.heic"][20, 20].astype(int) - (200, 30, 30)).max() <= 6


@pytest.mark.parametrize("kind", ["I;16", "I", "F", "F 0 to 1"])
def test_pictures_of_many_bits_are_scaled(tmp_path: Path, kind: str) -> None:
    ramp = np.tile(np.linspace(0, 255, 64), (8, 1))
    values = {"I;16": (ramp * 257).astype(np.uint16), "I": (ramp * 257).astype(np.int32), "F": ramp.astype(np.float32)}
    values["F 0 to 1"] = (ramp / 255).astype(np.float32)
    path = tmp_path / "grey.tif"
    Image.fromarray(values[kind]).save(path)
    assert np.abs(load_picture(path)[..., 1].astype(float) - ramp).max() <= 1


@pytest.mark.parametrize("name", ["private.png", "private.mp4"])
def test_a_link_out_of_a_folder_brings_nothing_in(app: App, tmp_path: Path, name: str) -> None:
    """A folder from somebody else cannot name the files of this machine; a link within it is its own business."""
    private = tmp_path / "home" / name
    photos(private.parent, "private.png")
    private.touch()
    given = photos(tmp_path / "given", "a.png")
    (given / "again.png").symlink_to(given / "a.png")
    assert len(footage_in([given])) == 1
    (given / name).symlink_to(private)
    with pytest.raises(StageError, match=r"is a link that leads out of the folder.*galloway ingest .*given/\*"):
        footage_in([given])


@pytest.mark.parametrize("name", ["pipe.mp4", "pipe.png"])
def test_a_pipe_is_no_footage_and_nobody_waits_at_it(app: App, tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    done = galloway(app, "ingest", "--side", "b", "--basis", "own", str(tmp_path / name))
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr


def test_of_an_animation_among_photographs_the_first_picture_is_taken_and_that_is_said(
    app: App, tmp_path: Path
) -> None:
    folder = photos(tmp_path / "album", "one.png")
    moving = [Image.new("RGB", (40, 30), (shade, 20, 90)) for shade in (10, 200)]
    moving[0].save(folder / "dance.webp", save_all=True, append_images=moving[1:], duration=100)
    done = ingest(app, folder, Side.B, person="", basis="own")
    (note,) = done.notes
    assert (
        note == "dance.webp is an animation: only its first picture was taken. For all of them save it as GIF or mp4."
    )
    assert len(list((app.workspace.root / "sources" / "b" / "album").iterdir())) == 2


def test_of_a_tiff_of_several_pages_the_first_is_taken_and_that_is_said(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / "album", "one.png")
    first, second = (Image.new("RGB", (40, 30), (shade, 20, 90)) for shade in (10, 200))
    first.save(folder / "scan.tif", save_all=True, append_images=[second])
    (note,) = ingest(app, folder, Side.B, person="", basis="own").notes
    assert note.startswith("Of 1 with several pages, such as scan.tif, only the first page was taken.")


def test_what_a_command_ends_with_reaches_the_shell(app: App) -> None:
    done = galloway(app, "faceset", "verify", "--side", "b")
    assert "cannot be read" in done.stdout and done.returncode == 1


def test_a_jpeg_that_a_browser_saved_as_jfif_comes_in_as_jpg(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / "saved", "one.jpg", "two.jpg")
    (folder / "two.jpg").rename(folder / "one.JFIF")
    done = ingest(app, folder, Side.B, person="", basis="own")
    assert [item.suffix for item in done.source.path.iterdir()] == [".jpg", ".jpg"]
    assert len(set(colours(done.source.path))) == 2
