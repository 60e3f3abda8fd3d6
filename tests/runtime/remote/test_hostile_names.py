"""A board that names files so that they would land elsewhere: nothing does."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from stat import S_ISDIR, S_ISREG

import pytest
from hostile_board import RUN, entry, judged, message, refused
from hypothesis import given, settings
from hypothesis import strategies as st

# folders that a hostile name climbs at most: where a check is missing, it stays inside
# the folder of the test
DEPTH = 6


class Box:
    """A folder tree with the working folder at its bottom: what is outside is seen."""

    def __init__(self, top):
        self.top = top
        self.work = top.joinpath(*map(str, range(DEPTH)))
        self.overlays = self.work / "overlays"
        self.outside = top / "outside"
        self.lay()

    def lay(self):
        """Make it as it is at first: links and files stand in the output folder."""
        shutil.rmtree(self.top, ignore_errors=True)
        self.overlays.mkdir(parents=True)
        self.outside.mkdir()
        (self.outside / "secret.png").write_text("secret")
        (self.overlays / "link").symlink_to(self.outside)
        (self.overlays / "link.png").symlink_to(self.outside / "secret.png")
        (self.overlays / "dangling.png").symlink_to(self.outside / "new.png")
        (self.overlays / "file.png").write_text("file")
        (self.overlays / "folder.png").mkdir()
        os.mkfifo(self.overlays / "pipe.png")

    def seen(self):
        """Return all that is not a plain file or folder below the output folder."""
        found = {}
        for folder, folders, files in os.walk(self.top):
            for name in folders + files:
                path = os.path.join(folder, name)
                mode = os.lstat(path).st_mode
                inside = path.startswith(f"{self.overlays}/")
                plain = S_ISREG(mode) or S_ISDIR(mode)
                if not (inside and plain):
                    content = Path(path).read_bytes() if S_ISREG(mode) else None
                    found[path] = (mode, content)
        return found

    def brought(self):
        """Return the plain files that are new in the output folder."""
        there = {"file.png"}
        return {
            path.relative_to(self.overlays).as_posix()
            for path in self.overlays.rglob("*")
            if path.is_file() and not path.is_symlink()
        } - there


@pytest.fixture
def box(tmp_path, monkeypatch):
    made = Box(tmp_path / "box")
    monkeypatch.chdir(made.work)
    return made


@pytest.fixture
def run(hostile):
    """Return what runs a model there, whose files come to an output here."""

    def call(*outputs):
        words = ["run", "animals", "synthetic:8x8,frames=1", "--wheel", hostile.wheel]
        for output in outputs or ("overlays/",):
            words += ["-o", output]
        return hostile.invoke(*words)

    return call


def test_honest_files_are_brought(hostile, box, run):
    names = [
        "a.png",
        "b b.png",
        "é.png",
        "sub/c.png",
        "file.png",
        "猫 👨‍👩‍👧.png",
        ".d.png",
    ]
    hostile.play(files={f"overlays/{name}": f"content of {name}" for name in names})
    done = run()
    assert judged(done) == 0
    assert f"brought here: overlays ({len(names)} files)" in done.output
    for name in names:
        assert (box.overlays / name).read_text() == f"content of {name}"


def test_a_name_that_is_no_utf_8_stays_as_it_is(hostile, box, run):
    hostile.play(
        results=[message(files=[entry("overlays/caf\udce9.png")])],
        get=[message(payload=1), ["say", "x"]],
    )
    assert judged(run()) == 0
    assert os.fsencode("caf\udce9.png") in os.listdir(os.fsencode(box.overlays))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../X.png", "'..' is no name"),
        ("../../../X", "'..' is no name"),
        ("../../../outside/secret.png", "'..' is no name"),
        ("a/../../X.png", "'..' is no name"),
        ("a/..", "'..' is no name"),
        ("./X.png", "'.' is no name"),
        ("a//X.png", "'' is no name"),
        ("/X.png", "'' is no name"),
        ("", "'' is no name"),
        ("a/", "'' is no name"),
        ("..\\..\\X.png", "a backslash"),
        ("C:\\X.png", "a backslash"),
        ("a\0.png", "control characters"),
        ("a\n.png", "control characters"),
        ("\x1b]0;title\x07.png", "control characters"),
        ("\x9b2J.png", "control characters"),
        ("gnp.\u202egnp.exe.png", "control characters"),
        ("a\u2028.png", "control characters"),
        ("\ud800.png", "not text"),
        ("\udcc3\udca9.png", "not text"),
        ("a" * 300 + ".png", "too long"),
        ("é" * 150 + ".png", "too long"),
        ("/".join(["a" * 200] * 25) + "/a.png", "too long"),
        ("a/" * 70 + "a.png", "too deep"),
        ("link/X.png", "overlays/link is here, and is no folder"),
        ("link/secret.png", "overlays/link is here, and is no folder"),
        ("link.png", "overlays/link.png is here, and is no file"),
        ("dangling.png", "overlays/dangling.png is here, and is no file"),
        ("file.png/a.png", "overlays/file.png is here, and is no folder"),
        ("folder.png", "overlays/folder.png is here, and is no file"),
        ("pipe.png", "overlays/pipe.png is here, and is no file"),
        ("pipe.png/a.png", "overlays/pipe.png is here, and is no folder"),
    ],
    ids=ascii,
)
def test_a_name_that_leads_elsewhere_is_refused(hostile, box, run, name, words):
    before = box.seen()
    good = "overlays/good.png"
    listed = message(files=[entry(good), entry(f"overlays/{name}")])
    hostile.play(results=[listed], get=[message(payload=1), ["say", "x"]])
    line = refused(run(), words)
    assert "nothing is brought here" in line
    assert RUN in line
    assert box.seen() == before
    assert box.brought() == set()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a.png", "a.png"),
        ("a.png", "A.png"),
        ("day/a.png", "DAY/a.png"),
        ("\u00e9.png", "e\u0301.png"),
        ("stra\u00dfe.png", "STRASSE.png"),
        ("\u212b.png", "\u00e5.png"),
        ("a.png", "a.png/b.png"),
        ("a.png/b.png", "a.png"),
        ("a.png/b.png", "A.png"),
    ],
)
def test_two_files_for_one_place_are_refused(hostile, box, run, first, second):
    files = [entry(f"overlays/{first}", "1"), entry(f"overlays/{second}", "2")]
    hostile.play(results=[message(files=files)])
    refused(run(), "nothing is brought here")
    assert box.brought() == set()


def test_what_was_not_asked_for_is_not_fetched(hostile, box, run):
    before = box.seen()
    names = ["x.png", ".bashrc", "overlays2/x.png", "over/x.png", "overlays"]
    names += ["../X.png", "/X.png", "overlays/x.sh", "overlays/x.png.txt", ""]
    hostile.play(
        results=[message(files=[entry(name) for name in names])],
        get=[message(error="asked for")],
    )
    done = run()
    assert judged(done) == 0
    assert "nothing was written for overlays" in done.output
    assert box.seen() == before
    assert box.brought() == set()


@pytest.mark.parametrize("output", ["over.png", "found.jsonl", "v.mp4", "jsonl:found"])
def test_a_single_file_is_that_file_or_none(hostile, box, run, output):
    name = output.rpartition(":")[2]
    names = [f"{name}/x.png", f"{name}/../X.png", f"{name}2", "other.png", name.upper()]
    hostile.play(
        results=[message(files=[entry(each) for each in names])],
        get=[message(error="asked for")],
    )
    before = box.seen()
    done = run(output)
    assert judged(done) == 0
    assert f"nothing was written for {name}" in done.output
    hostile.play(files={name: "content"})
    assert judged(run(output)) == 0
    assert (box.work / name).read_text() == "content"
    (box.work / name).unlink()
    assert box.seen() == before


def test_a_record_is_one_file(hostile, box):
    hostile.play(files={"record.json/x.png": "1", "record.json2": "2"})
    words = ["bench", "animals", "--wheel", hostile.wheel, "-o", "record.json"]
    done = hostile.invoke(*words)
    assert judged(done) == 0
    assert "nothing was written for record.json" in done.output
    assert not (box.work / "record.json").exists()


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (entry("overlays/a.png", size=-1), "expected a list of [name, size, SHA-256]"),
        (entry("overlays/a.png", size=1 << 62), "a list of [name, size, SHA-256]"),
        (entry("overlays/a.png", size=True), "a list of [name, size, SHA-256]"),
        (entry("overlays/a.png", size=1.0), "a list of [name, size, SHA-256]"),
        (entry("overlays/a.png", size="1"), "a list of [name, size, SHA-256]"),
        (entry("overlays/a.png", sha="x" * 64), "a list of [name, size, SHA-256]"),
        (entry("overlays/a.png")[:2], "a list of [name, size, SHA-256]"),
        ([], "a list of [name, size, SHA-256]"),
        ([["overlays/a.png"], 1, "0" * 64], "a list of [name, size, SHA-256]"),
        ("overlays/a.png", "a list of [name, size, SHA-256]"),
        (entry("overlays/a.png", size=1 << 49), "MB are free in"),
        (entry("overlays/a.png", size=0), "arrived damaged, or still grows"),
        (entry("overlays/a.png", size=2), "arrived damaged, or still grows"),
        (entry("overlays/a.png", sha="0" * 64), "arrived damaged, or still grows"),
    ],
)
def test_a_file_is_as_it_was_announced(hostile, box, run, listed, words):
    hostile.play(
        results=[message(files=[listed])], get=[message(payload=1), ["say", "x"]]
    )
    refused(run(), words)
    assert box.brought() == set()


def test_too_many_files_are_refused(hostile, box, run):
    files = [[f"overlays/{index}.png", 0, "0" * 64] for index in range(100_001)]
    hostile.play(results=[message(files=files)])
    refused(run(), "expected a list of [name, size, SHA-256], 100000 at most")


def test_outputs_of_one_name_in_other_case_are_the_users_own(hostile, box, run):
    hostile.play(files={"Over/a.png": "1", "over/a.png": "2"})
    assert judged(run("overlay:Over/", "masks:over/")) == 0
    assert (box.work / "Over/a.png").read_text() == "1"
    assert (box.work / "over/a.png").read_text() == "2"


PARTS = st.one_of(
    st.sampled_from(
        ["..", "..", ".", "", "a", "A", "é", "e\u0301", "\udcc3", "\ud800"]
    ),
    st.sampled_from(["file.png", "link.png", "dangling.png", "folder.png", "link"]),
    st.sampled_from(["a.png", "A.png", "outside", "~", "\\", "\0", "\x1b[2J"]),
    st.text(max_size=8).map(lambda text: text.replace("/", "")),
)
STARTS = ["overlays/", "overlays/", "overlays", "", "/", "{}/", "overlays//"]
NAMES = st.tuples(
    st.sampled_from(STARTS),
    st.lists(PARTS, min_size=1, max_size=DEPTH).map("/".join),
    st.sampled_from([".png", ".png", ""]),
)


def test_whatever_the_names_nothing_outside_is_touched(hostile, box, run):
    @settings(max_examples=settings.default.max_examples // 2)  # each is a process
    @given(parts=st.lists(NAMES, min_size=1, max_size=3))
    def check(parts):
        names = ["".join(each).replace("{}", str(box.top)) for each in parts]
        box.lay()
        os.chdir(box.work)
        before = box.seen()
        hostile.play(
            results=[message(files=[entry(name) for name in names])],
            get=[message(payload=1), ["say", "x"]],
        )
        code = judged(run())
        assert box.seen() == before
        if code:
            assert box.brought() == set()

    check()


def test_the_folder_itself_may_be_a_link_of_the_users(hostile, box, run):
    (box.top / "large disk").mkdir()
    (box.work / "out").symlink_to(box.top / "large disk")
    hostile.play(files={"out/a.png": "content"})
    assert judged(run("out/")) == 0
    assert (box.top / "large disk/a.png").read_text() == "content"
