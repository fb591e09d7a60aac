"""Ingest: what comes in, under which name, and on what basis; twice and half done."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from galloway.curation.errors import FacesetError
from galloway.curation.types import Side
from galloway.pipeline.app import App
from galloway.pipeline.consent.kept import record_of
from galloway.pipeline.errors import StageError
from galloway.pipeline.market.pictures import reference_files
from galloway.pipeline.stages.ingest import Footage, add_references, footage_in, ingest
from galloway.pipeline.stages.references import cut_to_face, face_square
from galloway.pipeline.stages.setup import make_workspace
from galloway.pipeline.workspace.records import sources
from galloway.pipeline.workspace.schema import source_table
from PIL import Image, ImageDraw
from skimage.data import astronaut


@pytest.fixture
def app(tmp_path: Path) -> App:
    return App(make_workspace(tmp_path / "swap")[0])


def photos(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for number, name in enumerate(names):
        Image.new("RGB", (32, 24), (number * 20, 90, 10)).save(folder / name)
    return folder


def video(folder: Path, name: str = "clip.mp4", content: bytes = b"not looked into here") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_a_video_is_copied_and_the_person_and_basis_are_recorded(app: App, tmp_path: Path) -> None:
    done = ingest(
        app, video(tmp_path, "My clip (1).MP4"), Side.A, person="Ann", basis="consent", note="letter of 3 May"
    )
    assert done.added
    assert done.source.path.name == "My-clip-1.mp4"
    assert done.source.path.read_bytes() == b"not looked into here"
    record = json.loads((app.workspace.sources_dir(Side.A) / "My-clip-1.source.json").read_text(encoding="utf-8"))
    assert (record["person"], record["basis"], record["note"]) == ("Ann", "consent", "letter of 3 May")
    assert record["sha256"] == done.source.sha256


def test_the_same_content_again_is_recognised(app: App, tmp_path: Path) -> None:
    first = ingest(app, video(tmp_path), Side.A, person="", basis="own")
    again = ingest(app, video(tmp_path, "other-name.mp4"), Side.A, person="", basis="own")
    assert not again.added
    assert again.source == first.source
    assert len(sources(app.workspace)) == 1


def test_what_was_not_said_at_first_is_added_the_second_time(app: App, tmp_path: Path) -> None:
    pictures = photos(tmp_path / "holiday", "one.png", "two.png")
    (pictures / "urls.csv").write_text("file,source\none.png,https://example.org/one\n", encoding="utf-8")
    for path in (video(tmp_path), pictures):
        first = ingest(app, path, Side.A, person="", basis="consent")
        again = ingest(app, path, Side.A, person="Ann", basis="consent", note="letter of 3 May")
        assert not again.added
        (source,) = (item for item in sources(app.workspace) if item.name == first.source.name)
        assert (source.person, source.basis, source.note) == ("Ann", "consent", "letter of 3 May")
        assert again.source == source
        record = json.loads(app.workspace.source_record(Side.A, source.name).read_text(encoding="utf-8"))
        assert (record["person"], record["note"], record["sha256"]) == ("Ann", "letter of 3 May", source.sha256)
        assert len(record.get("pictures", ())) == (2 if path.is_dir() else 0)
        unsaid = ingest(app, path, Side.A, person="", basis="consent")
        assert unsaid.source == source, "what is left out stays"
    consent = record_of(app.workspace.root, "ann")
    assert consent is not None and {item.name for item in consent.material} == {"clip", "holiday"}


@pytest.mark.parametrize(
    ("what", "new"), [("person", "Bo"), ("basis", "own"), ("note", "letter of 4 May")], ids=["person", "basis", "note"]
)
def test_something_else_of_footage_that_is_here_is_refused_in_words(
    app: App, tmp_path: Path, what: str, new: str
) -> None:
    told = {"person": "Ann", "basis": "consent", "note": "letter of 3 May"}
    first = ingest(app, video(tmp_path), Side.A, **told)
    refused = rf"with the {what} '{told[what]}', not '{new}'.*galloway source remove --side a clip"
    with pytest.raises(StageError, match=refused):
        ingest(app, video(tmp_path), Side.A, **(told | {what: new}))
    assert sources(app.workspace) == [first.source]
    assert record_of(app.workspace.root, "Bo") is None


def test_other_content_under_a_taken_name_is_refused(app: App, tmp_path: Path) -> None:
    ingest(app, video(tmp_path), Side.A, person="", basis="own")
    with pytest.raises(StageError, match="already has a source named 'clip'"):
        ingest(app, video(tmp_path, content=b"something else"), Side.A, person="", basis="own")


def test_photographs_carry_their_sources_name_so_that_folders_can_meet(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / "holiday", "1.png", "2.jpg")
    (folder / "notes.txt").write_text("hello", encoding="utf-8")
    done = ingest(app, folder, Side.B, person="", basis="own")
    assert sorted(item.name for item in done.source.path.iterdir()) == ["holiday_1.png", "holiday_2.jpg"]
    assert done.skipped == ("notes.txt",)


def test_a_copy_that_was_killed_half_way_is_made_anew(app: App, tmp_path: Path) -> None:
    folder = photos(tmp_path / "holiday", "1.png", "2.png")
    left = app.workspace.sources_dir(Side.B) / "holiday"
    left.mkdir(parents=True)
    (left / "holiday_1.png").write_bytes(b"half")
    done = ingest(app, folder, Side.B, person="", basis="own")
    written = sorted(done.source.path.iterdir())
    assert [item.name for item in written] == ["holiday_1.png", "holiday_2.png"]
    for item in written:
        with Image.open(item) as image:
            assert image.size == (32, 24)


@pytest.mark.parametrize("basis", ["", "because", "Own"])
def test_a_face_needs_a_basis(app: App, tmp_path: Path, basis: str) -> None:
    with pytest.raises(StageError, match="is no basis"):
        ingest(app, video(tmp_path), Side.A, person="", basis=basis)
    assert sources(app.workspace) == []


def test_what_is_no_footage_is_refused_by_name(app: App, tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"song\.mp3 is no video"):
        ingest(app, video(tmp_path, "song.mp3"), Side.A, person="", basis="own")
    (tmp_path / "empty").mkdir()
    with pytest.raises(StageError, match="holds neither photographs nor videos"):
        ingest(app, tmp_path / "empty", Side.A, person="", basis="own")
    with pytest.raises(StageError, match="does not exist"):
        ingest(app, tmp_path / "nowhere.mp4", Side.A, person="", basis="own")


def test_references_are_small_upright_and_without_metadata(app: App, tmp_path: Path) -> None:
    picture = Image.new("RGB", (1200, 600), (200, 10, 10))
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "Ann at home"
    picture.save(tmp_path / "Ann at home.jpg", exif=exif)
    (written,) = add_references(app, Side.A, [tmp_path / "Ann at home.jpg"])
    with Image.open(written) as image:
        assert image.size == (384, 768)
        assert not image.getexif()
    with pytest.raises(FacesetError, match="is no PNG, JPEG, WebP, BMP, TIFF, AVIF or HEIC picture"):
        add_references(app, Side.A, [video(tmp_path, "fake.jpg")])


def test_a_reference_is_cut_to_the_face_and_kept_as_it_was_given(app: App, tmp_path: Path) -> None:
    """A portrait whose face is at the top: a square from its middle would show the jacket."""
    portrait = Image.new("RGB", (600, 900), (150, 170, 190))
    face = Image.fromarray(astronaut()).crop((130, 0, 330, 240))
    portrait.paste(face, (200, 10))
    portrait.save(tmp_path / "Ann.png")
    (written,) = add_references(app, Side.A, [tmp_path / "Ann.png"])
    left, top, right, bottom = face_square(np.asarray(portrait)) or (0, 0, 0, 0)
    assert left <= 250
    assert top <= 60
    assert right >= 345
    assert 220 <= bottom <= 420
    with Image.open(written) as image:
        assert image.size == (right - left, bottom - top)
    (kept,) = (app.workspace.references_dir(Side.A) / "originals").iterdir()
    assert kept.read_bytes() == (tmp_path / "Ann.png").read_bytes()
    assert reference_files(app.workspace, Side.A) == [written], "the original is no second photograph"


def test_a_drawn_face_is_found_too_and_a_photograph_without_one_stays_whole() -> None:
    drawn = Image.new("RGB", (600, 900), (150, 170, 190))
    draw = ImageDraw.Draw(drawn)
    draw.rectangle((120, 290, 480, 900), fill=(30, 40, 80))
    draw.ellipse((190, 12, 410, 288), fill=(225, 180, 150))
    for x in (256, 344):
        draw.ellipse((x - 14, 108, x + 14, 126), fill=(40, 40, 40))
    draw.arc((260, 180, 340, 225), 20, 160, fill=(150, 40, 40), width=7)
    square = face_square(np.asarray(drawn))
    assert square is not None
    assert (square[0] <= 190, square[1] <= 12, square[2] >= 410, square[3] >= 288) == (True,) * 4, "the face is whole"
    assert square[3] <= 500
    plain = Image.new("RGB", (60, 90))
    assert cut_to_face(plain) is plain


def test_a_folder_of_videos_is_its_videos_and_one_with_photographs_is_itself(tmp_path: Path) -> None:
    takes = tmp_path / "takes"
    takes.mkdir()
    for name in ("b.mov", "a.mp4", ".hidden.mp4", "notes.txt"):
        video(takes, name)
    (takes / "day 2").mkdir()
    video(takes / "day 2", "c.mp4")
    below = [Footage(takes / "a.mp4"), Footage(takes / "b.mov"), Footage(takes / "day 2" / "c.mp4")]
    assert footage_in([takes]) == below
    assert footage_in([takes / "a.mp4"]) == below[:1]
    Image.new("RGB", (8, 8)).save(takes / "photo.png")
    assert footage_in([takes]) == [Footage(takes)]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert footage_in([empty]) == [Footage(empty)]


def test_a_mended_copy_takes_the_place_of_the_video_it_was_made_of(app: App, tmp_path: Path) -> None:
    first = ingest(app, video(tmp_path), Side.A, person="Ann", basis="own")
    mended = video(tmp_path / "swap", "clip.mp4", b"mended")
    done = ingest(app, mended, Side.A, person="Ann", basis="own", mended_from=first.source.sha256)
    assert done.added
    assert [item.path.read_bytes() for item in sources(app.workspace)] == [b"mended"]
    again = ingest(app, tmp_path / "clip.mp4", Side.A, person="Ann", basis="own")
    assert not again.added, "the video as it was given is known by its mended copy"
    assert len(sources(app.workspace)) == 1


def test_a_mended_copy_comes_too_late_where_faces_were_extracted(app: App, tmp_path: Path) -> None:
    first = ingest(app, video(tmp_path), Side.A, person="", basis="own")
    with app.workspace.db.begin() as db:
        db.execute(source_table.update().values(faces=3))
    mended = video(tmp_path / "swap", "clip.mp4", b"mended")
    with pytest.raises(StageError, match="galloway source remove --side a clip"):
        ingest(app, mended, Side.A, person="", basis="own", mended_from=first.source.sha256)


def test_a_video_that_is_missing_is_brought_back_by_the_same_content(app: App, tmp_path: Path) -> None:
    first = ingest(app, video(tmp_path), Side.A, person="Ann", basis="own").source
    record = app.workspace.source_record(Side.A, "clip")
    first.path.unlink()
    record.unlink()  # as a backup without footage left both out
    back = ingest(app, video(tmp_path, "other-name.mp4"), Side.A, person="", basis="own")
    assert back.brought_back and not back.added
    assert first.path.read_bytes() == b"not looked into here"
    assert json.loads(record.read_text(encoding="utf-8"))["person"] == "Ann"
    assert sources(app.workspace) == [first]
    assert not ingest(app, video(tmp_path), Side.A, person="", basis="own").brought_back
    first.path.write_bytes(b"not look")
    assert ingest(app, video(tmp_path), Side.A, person="", basis="own").brought_back, "it was cut short"
    assert first.path.read_bytes() == b"not looked into here"


def test_photographs_that_are_missing_are_brought_back_under_their_names(app: App, tmp_path: Path) -> None:
    pictures = photos(tmp_path / "holiday", "one.png", "two.jfif")
    first = ingest(app, pictures, Side.B, person="", basis="own").source
    there = {path.name: path.read_bytes() for path in first.path.iterdir()}
    (first.path / "holiday_two.jpg").unlink()
    pictures = pictures.rename(tmp_path / "elsewhere")
    assert ingest(app, pictures, Side.B, person="", basis="own").brought_back
    assert {path.name: path.read_bytes() for path in first.path.iterdir()} == there
    app.workspace.source_record(Side.B, "holiday").unlink()
    for path in first.path.iterdir():
        path.unlink()
    first.path.rmdir()
    assert ingest(app, pictures, Side.B, person="", basis="own").brought_back
    assert {path.name: path.read_bytes() for path in first.path.iterdir()} == there
    record = json.loads(app.workspace.source_record(Side.B, "holiday").read_text(encoding="utf-8"))
    assert [row["as"] for row in record["pictures"]] == ["holiday_one.png", "holiday_two.jpg"]


def test_a_mended_video_is_brought_back_mended(app: App, tmp_path: Path) -> None:
    given = video(tmp_path)
    digest = hashlib.sha256(given.read_bytes()).hexdigest()
    kept = app.workspace.path("sources", "mended", digest[:12], "clip.mp4")
    kept.write_bytes(b"mended")
    first = ingest(app, kept, Side.A, person="Ann", basis="own", mended_from=digest).source
    first.path.unlink()
    assert ingest(app, given, Side.A, person="Ann", basis="own").brought_back
    assert first.path.read_bytes() == b"mended"
    first.path.unlink()
    kept.unlink()
    with pytest.raises(StageError, match="Mend it again: the same command with --fix"):
        ingest(app, given, Side.A, person="Ann", basis="own")
    kept.write_bytes(b"mended by a newer program")
    back = ingest(app, kept, Side.A, person="Ann", basis="own", mended_from=digest)
    assert back.brought_back
    assert first.path.read_bytes() == b"mended by a newer program"
    (source,) = sources(app.workspace)
    assert source.sha256 == hashlib.sha256(b"mended by a newer program").hexdigest()
    consent = record_of(app.workspace.root, "Ann")
    assert consent is not None and [item.sha256 for item in consent.material] == [source.sha256]
    again = ingest(app, given, Side.A, person="Ann", basis="own")
    assert not again.brought_back, "it is still known by the video as it was given"


def test_a_disk_without_room_is_told_before_the_copy(app: App, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = SimpleNamespace(total=10, used=10, free=0)
    monkeypatch.setattr("galloway.pipeline.stages.here_already.shutil.disk_usage", lambda _: full)
    with pytest.raises(StageError, match="nothing was copied"):
        ingest(app, video(tmp_path), Side.A, person="", basis="own")
    assert list(app.workspace.sources_dir(Side.A).iterdir()) == []


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"ffconcat version 1.0\nfile 'other.mp4'\n", "an ffconcat playlist"),
        (b"\xef\xbb\xbf\n#EXTM3U\n#EXTINF:1,\nhttp://evil.example/a.ts\n", "an HLS playlist"),
        (b"<?xml version='1.0'?><MPD profiles='urn:mpeg:dash:profile:x'/>", "a DASH manifest"),
        (b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 203.0.113.9\nm=video 4 RTP/AVP 96\n", "a session description"),
    ],
)
def test_a_list_of_other_files_is_no_video(app: App, tmp_path: Path, head: bytes, kind: str) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(head)
    with pytest.raises(StageError, match=f"clip.mp4 is {kind}, whatever its name says"):
        ingest(app, path, Side.A, person="", basis="own")
    assert sources(app.workspace) == []
