"""What is good is installed; of anything else nothing stays, and the old one runs."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys

import pytest
from click.testing import CliRunner
from model_server import ModelServer

from edgeseg.devices import InputError
from edgeseg.runtime.cli import main
from edgeseg.runtime.installation import store
from edgeseg.runtime.installation.fetching import fetch
from edgeseg.runtime.installation.journal import read_steps
from edgeseg.runtime.installation.store import InstalledModel, find_installed
from edgeseg.runtime.model.embedded import sha256


def said(result):
    """Return the one line of an error."""
    assert result.exit_code == 1, result.output
    assert "Traceback" not in result.output
    lines = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(lines) == 1
    return lines[0]


def last_step(board):
    return read_steps(board.door.journal)[-1]


@pytest.fixture
def installed(board, variants):
    assert board.install(variants["first"], "--version", "1").exit_code == 0
    return board


def unchanged(board, variants):
    assert board.in_use() == sha256(variants["first"])
    assert len(board.door.present()) == 1
    assert len(os.listdir(board.door.versions)) == 1
    assert board.left_behind() == []
    return True


# What is good


def test_the_first_one_is_found_by_its_name(installed, variants, tmp_path, monkeypatch):
    assert installed.in_use() == sha256(variants["first"])
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["run", "door", "synthetic:64x48,frames=2"])
    assert done.exit_code == 0, done.output
    assert "disc" in done.output


def test_a_better_one_takes_its_place_and_can_be_taken_back(installed, variants):
    result = installed.install(variants["second"], "--version", "2", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert (told["changed"], told["version"]) == (True, "2")
    assert told["agreement"] == 1
    assert told["new_p90_ms"] > 0
    assert installed.in_use() == sha256(variants["second"])
    assert installed.call("rollback").exit_code == 0
    assert installed.in_use() == sha256(variants["first"])
    assert installed.call("rollback").exit_code == 0  # and there again
    assert installed.in_use() == sha256(variants["second"])


def test_the_same_one_again_changes_nothing(installed, variants):
    before = installed.door.journal.read_bytes()
    result = installed.install(variants["first"], "--json")
    assert json.loads(result.stdout)["changed"] is False
    assert installed.door.journal.read_bytes() == before
    assert unchanged(installed, variants)


def test_the_versions_that_stay_are_counted(installed, variants):
    for name in ("second", "third"):
        assert installed.install(variants[name], "--keep", 2).exit_code == 0
    assert installed.door.present() == [
        sha256(variants[name]) for name in ("third", "second")
    ]


def test_one_that_is_there_is_not_fetched_again(installed, variants, tmp_path):
    assert installed.install(variants["second"]).exit_code == 0
    nowhere, known = tmp_path / "gone.tflite", sha256(variants["first"])
    assert installed.install(nowhere, sha256=known).exit_code == 0
    assert installed.in_use() == known


def test_a_damaged_one_is_brought_again(installed, variants):
    path = installed.door.model()
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert installed.install(variants["first"]).exit_code == 0
    assert sha256(installed.door.model()) == sha256(variants["first"])
    assert len(os.listdir(installed.door.versions)) == 1


def test_a_configuration_takes_the_name_and_the_link(installed, tmp_path):
    link = installed.door.link / "door.tflite"
    for model in ("door", link):
        config = tmp_path / "camera.toml"
        config.write_text(f'model = "{model}"\nsource = "synthetic:64x48,frames=2"\n')
        done = CliRunner().invoke(main, ["run", "--config", str(config)])
        assert done.exit_code == 0, done.output


def test_a_file_of_that_name_comes_first(installed, tmp_path, monkeypatch, variants):
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(variants["renamed"], tmp_path / "door")
    done = CliRunner().invoke(main, ["run", "door", "synthetic:64x48,frames=2"])
    assert "circle" in done.output


def test_what_is_installed_is_listed_and_removed(installed, variants):
    assert installed.install(variants["second"], "--version", "2").exit_code == 0
    told = json.loads(installed.call("list", "--json").stdout)["models"][0]
    used = {version["version"]: version["in_use"] for version in told["versions"]}
    assert used == {"1": False, "2": True}
    shown = installed.call("list").stdout
    assert sha256(variants["first"])[:12] in shown
    assert "is in use" in said(
        installed.call("remove", "--name", "door", "--version", 2)
    )
    assert installed.call("remove", "--name", "door", "--version", "1").exit_code == 0
    assert installed.door.present() == [sha256(variants["second"])]
    assert installed.call("remove", "--name", "door").exit_code == 0
    assert not installed.door.folder.exists()
    assert find_installed("door") is None


def test_what_is_not_ours_in_the_folder_stays(board, variants):
    """Whoever names a folder of their own as the store loses nothing in it."""
    mine = [board.store / "photos" / "a.jpg", board.store / "door" / "notes.txt"]
    mine += [board.store / ".edgeseg-abcdefgh", board.store / "photos" / ".model-x"]
    mine += [board.store / "yard" / "pictures" / "b.jpg", board.store / "c.txt"]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    (board.store / "empty").mkdir()
    said(board.install(variants["first"], sha256="0" * 64))
    assert board.install(variants["first"]).exit_code == 0
    assert board.install(variants["second"]).exit_code == 0
    assert board.call("remove", "--name", "door").exit_code == 0
    assert [path for path in mine if not path.exists()] == []
    assert (board.store / "empty").is_dir()
    assert not board.door.versions.exists()
    assert "photos" not in board.call("list").stdout


# What falls short


def test_a_wrong_hash(installed, variants):
    wrong = sha256(variants["third"])
    line = said(installed.install(variants["second"], sha256=wrong))
    assert sha256(variants["second"]) in line
    assert wrong in line
    assert unchanged(installed, variants)
    assert last_step(installed)["step"] == "refused"


def test_a_truncated_model(installed, variants):
    line = said(installed.install(variants["truncated"]))
    assert str(variants["truncated"]) in line  # not where it lay for a moment
    assert unchanged(installed, variants)


def test_a_model_that_answers_otherwise(installed, variants):
    assert "the labels change" in said(installed.install(variants["blinded"]))
    assert unchanged(installed, variants)
    assert installed.install(variants["blinded"], "--least", 0).exit_code == 0


def test_a_model_whose_classes_have_other_names(installed, variants):
    assert "the labels change" in said(installed.install(variants["renamed"]))
    assert unchanged(installed, variants)


def test_a_slower_model(installed, variants):
    """The model that ships is some ten times the size of the drawn shapes'."""
    from edgeseg.runtime.shipped import model_file

    line = said(installed.install(model_file("animals"), "--least", 0))
    assert "too slow" in line
    assert unchanged(installed, variants)


def test_a_reference_counts_in_place_of_the_model_in_use(installed, variants, tmp_path):
    masks = tmp_path / "masks"
    call = ["run", str(variants["blinded"]), str(installed.pictures)]
    assert CliRunner().invoke(main, [*call, "-o", f"masks:{masks}"]).exit_code == 0
    for check in (variants["blinded"], masks):
        line = said(installed.install(variants["second"], "--check", check))
        assert "the labels change" in line
        assert unchanged(installed, variants)
        done = installed.install(variants["blinded"], "--check", check)
        assert done.exit_code == 0, done.output
        assert installed.call("rollback").exit_code == 0
        key = sha256(variants["blinded"])
        assert (
            installed.call("remove", "--name", "door", "--version", key).exit_code == 0
        )


def test_pictures_beside_the_model_are_those_it_is_tried_on(installed, variants):
    shutil.copytree(installed.pictures, installed.door.pictures)
    (installed.door.pictures / "0.png").unlink()
    given = ["--sha256", sha256(variants["second"]), "--name", "door", "--json"]
    told = json.loads(installed.call("install", variants["second"], *given).stdout)
    assert told["pictures"] == 1


@pytest.mark.parametrize("name", ["../door", "a/b", "", ".", "..", "a b", "-x", "é"])
def test_a_name_that_leads_elsewhere(board, variants, name):
    given = ["--sha256", sha256(variants["first"]), f"--name={name}"]
    line = said(board.call("install", variants["first"], *given))
    assert "name" in line
    assert not board.store.exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--sha256", "abc"], "64 hexadecimal digits"),
        (["--sha256", "0" * 64, "--name", "animals"], "comes with edgeseg"),
        (["--sha256", "0" * 64, "--health", "true"], "needs --restart"),
        (["--sha256", "0" * 64, "--restart", "'"], "cannot split"),
        (
            ["--sha256", "0" * 64, "--restart", "true", "--service", "x"],
            "leave out the commands",
        ),
        (["--sha256", "0" * 64, "--service", "a/b"], "service name"),
    ],
)
def test_options_that_cannot_be(board, variants, words, expected):
    assert expected in said(board.call("install", variants["first"], *words))
    assert not board.store.exists()


@pytest.mark.parametrize("option", ["--least", "--slower", "--watch"])
def test_a_limit_is_a_number(board, variants, option):
    """Nothing is below `nan`: such a limit would let everything pass."""
    result = board.install(variants["first"], option, "nan")
    assert result.exit_code == 2
    assert "not a number" in result.stderr
    assert not board.store.exists()


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("nowhere.tflite", "there is none"),
        ("/dev/null.tflite", "there is none"),
        ("ftp://host/door.tflite", "https:// or http://"),
        ("file:///etc/hostname.tflite", "https:// or http://"),
        ("model.keras", "edgeseg convert"),
    ],
)
def test_sources_that_cannot_be(board, source, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert expected in said(board.install(source, sha256="0" * 64))
    assert not board.store.exists()


def test_a_folder_and_a_pipe_are_no_models(board, tmp_path):
    (tmp_path / "a.tflite").mkdir()
    os.mkfifo(tmp_path / "b.tflite")
    for name, kind in (("a", "folder"), ("b", "named pipe")):
        line = said(board.install(tmp_path / f"{name}.tflite", sha256="0" * 64))
        assert kind in line


def test_going_back_where_there_is_nothing(installed, board):
    assert "no other version" in said(installed.call("rollback"))
    assert "nothing" not in said(installed.call("rollback", "--name", "yard"))
    assert "no version 'x'" in said(installed.call("rollback", "--to", "x"))


def test_two_at_a_time(installed, variants):
    from edgeseg.runtime.installation.lock import locked

    with locked(installed.store):
        assert "wait for it" in said(installed.install(variants["second"]))
    assert unchanged(installed, variants)


@pytest.mark.parametrize("words", [["rollback"], ["remove", "--name", "door"]])
def test_what_finds_nothing_leaves_no_store(tmp_path, monkeypatch, board, words):
    monkeypatch.setenv("EDGESEG_MODELS", str(tmp_path / "a" / "b"))
    said(board.call(*words))
    assert not (tmp_path / "a").exists()


def test_who_waited_for_a_store_that_is_removed_makes_it_anew(board, variants):
    """Several at once, each of which makes the folder or finds that it has gone."""
    call = [sys.executable, "-m", "edgeseg", "model", "install", "--name", "door"]
    refused = [*call, "nowhere.tflite", "--sha256", "0" * 64]
    good = [*call, variants["first"], "--sha256", sha256(variants["first"])]
    good += ["--pictures", board.pictures]
    started = [
        subprocess.Popen(list(map(str, words)), stderr=subprocess.PIPE, text=True)
        for words in (refused, good, refused)
    ]
    said = [process.communicate(timeout=120)[1] for process in started]
    # who is not let in after some seconds says so
    assert started[1].returncode == 0 or "wait for it" in said[1], said
    if started[1].returncode == 0:
        assert board.in_use() == sha256(variants["first"])
    assert all(process.returncode == 1 for process in started[::2])


# By HTTP


@pytest.fixture
def server(variants):
    with ModelServer(variants["second"].read_bytes()) as server:
        yield server


@pytest.mark.parametrize("path", ["model", "moved"])
def test_a_model_is_fetched_and_its_query_not_kept(installed, variants, server, path):
    url = f"{server.url}/{path}.tflite?token=secret"
    known = sha256(variants["second"])
    assert installed.install(url, sha256=known).exit_code == 0
    assert installed.in_use() == known
    texts = [path.read_text() for path in installed.store.rglob("*.json*")]
    assert texts
    assert not [text for text in texts if "secret" in text]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("missing", "404"),
        ("loop", "302"),
        ("file", "not allowed"),
        ("cut", "ended after"),
        ("huge", "more than"),
        ("silent", "cannot fetch"),
    ],
)
def test_what_servers_do_wrong(installed, variants, server, path, expected):
    url = f"{server.url}/{path}.tflite"
    line = said(installed.install(url, sha256=sha256(variants["second"])))
    assert expected in line
    assert unchanged(installed, variants)


def test_one_that_never_ends(server, tmp_path):
    with pytest.raises(InputError, match="more than"):
        fetch(f"{server.url}/endless.tflite", tmp_path / "x", largest=1 << 20)


# Signatures


@pytest.fixture
def signers(tmp_path):
    """Make two keys, one of which is allowed."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("needs ssh-keygen: not there")
    for name in ("maker", "stranger"):
        call = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name]
        subprocess.run(call, check=True)
    key = (tmp_path / "maker.pub").read_text()
    (tmp_path / "signers").write_text(f"maker@example.org {key}")
    return tmp_path / "signers"


def sign(path, key, namespace="edgeseg"):
    call = ["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n", namespace, path]
    subprocess.run(call, check=True, stderr=subprocess.DEVNULL)


@pytest.fixture
def model(variants, tmp_path):
    return shutil.copyfile(variants["second"], tmp_path / "model.tflite")


def test_a_signed_model(installed, model, signers):
    sign(model, signers.with_name("maker"))
    result = installed.install(model, "--signer", signers)
    assert result.exit_code == 0, result.output
    assert "maker@example.org" in result.output
    assert installed.door.about(installed.in_use())["signed_by"] == "maker@example.org"


def test_signatures_that_do_not_count(installed, variants, model, signers):
    line = said(installed.install(model, "--signer", signers))
    assert "model.tflite.sig" in line  # there is none
    sign(model, signers.with_name("stranger"))
    assert "not signed by anybody" in said(
        installed.install(model, "--signer", signers)
    )
    signature = model.with_name("model.tflite.sig")
    signature.unlink()
    sign(model, signers.with_name("maker"), "git")
    assert "ssh-keygen -Y sign -n edgeseg" in said(
        installed.install(model, "--signer", signers)
    )
    other = shutil.copyfile(variants["third"], model.with_name("other.tflite"))
    sign(other, signers.with_name("maker"))
    shutil.move(model.with_name("other.tflite.sig"), signature)
    assert "not one of this model" in said(
        installed.install(model, "--signer", signers)
    )
    signature.write_text("nonsense")
    assert "not signed by anybody" in said(
        installed.install(model, "--signer", signers)
    )
    assert "allowed signers" in said(
        installed.install(model, "--signer", signers.with_name("nowhere"))
    )
    assert unchanged(installed, variants)


def test_a_store_can_ask_for_signatures(installed, variants, model, signers):
    shutil.copyfile(signers, installed.store / "allowed_signers")
    assert ".sig" in said(installed.install(model))
    assert unchanged(installed, variants)
    sign(model, signers.with_name("maker"))
    assert installed.install(model).exit_code == 0


# Disks


def test_a_disk_that_is_full(variants, full_disk, board, monkeypatch):
    monkeypatch.setenv("EDGESEG_MODELS", str(full_disk / "models"))
    line = said(board.install(variants["first"]))
    assert "no room" in line or "space" in line
    assert not (full_disk / "models" / "door").exists()


def test_a_disk_that_gets_full_at_any_byte(variants, board, tmp_path, monkeypatch):
    """Whatever room is left, the old or the new model is there, whole."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    try:
        monkeypatch.setenv("EDGESEG_MODELS", str(disk / "models"))
        board.store = disk / "models"
        assert board.install(variants["first"]).exit_code == 0
        outcomes = []
        for free in range(0, 140, 8):
            filler = disk / "filler"
            place = os.statvfs(disk)
            room = place.f_bavail * place.f_frsize - free * 1024
            filler.write_bytes(bytes(max(room, 0)))
            result = board.install(variants["second"])
            outcomes.append(result.exit_code)
            if result.exit_code:
                said(result)
                assert unchanged(board, variants)
            filler.unlink()
        assert board.in_use() == sha256(variants["second"])
        assert outcomes == sorted(outcomes, reverse=True)
        assert set(outcomes) == {0, 1}
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_what_is_no_store_is_left_alone(tmp_path):
    assert InstalledModel(tmp_path / "nothing").in_use() is None
    assert find_installed(tmp_path / "current" / "door.tflite") is None


def test_a_store_that_may_not_be_read_is_passed_over(installed, tmp_path, monkeypatch):
    """As root nothing is refused: the kernel's answer is played."""
    closed = tmp_path / "closed"
    monkeypatch.setattr(store, "_stores", lambda: [closed, installed.store])
    read = store.read_steps

    def refuse(path):
        if closed in path.parents:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return read(path)

    monkeypatch.setattr(store, "read_steps", refuse)
    monkeypatch.setattr(
        store, "installed_models", lambda folder: [InstalledModel(folder / "door")]
    )
    assert store.find_installed("door") == installed.door.model()
    assert store.installed_names() == ("door",)
    with pytest.raises(InputError, match=r"cannot read .* garden: Permission denied"):
        store.find_installed("garden")
