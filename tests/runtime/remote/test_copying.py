"""Copies to the board: checked, resumed, whole or not there."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loopback_board import wait_for

from edgeseg.runtime.remote.address import RemoteError
from edgeseg.runtime.remote.board import store
from edgeseg.runtime.remote.copying import Blob, ship, ship_tree

SIZE = 24 << 20  # many times what the pipes and sockets on the way hold


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "model.tflite"
    # not the same bytes in two tests: what one has copied another would not
    path.write_bytes(random.Random(str(tmp_path)).randbytes(SIZE))
    return path


def arrived(board, blob):
    path = board.root / "blobs" / blob.sha
    return path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() == blob.sha


def part(board, blob):
    return board.root / "parts" / blob.sha


def part_size(board, blob):
    return part(board, blob).stat().st_size if part(board, blob).exists() else 0


def test_a_file_is_copied_once(board, file):
    blob = Blob.of(file)
    with board.session() as session:
        assert ship(session, [blob, blob]) == SIZE
        assert ship(session, [blob]) == 0
    assert arrived(board, blob)
    assert not part(board, blob).exists()


def test_a_cut_half_way_is_gone_over_unseen(board, proxy, file):
    blob = Blob.of(file)
    proxy.cuts = [SIZE // 2]
    with board.session(port=proxy.port) as session:
        sent = ship(session, [blob])
    assert arrived(board, blob)
    assert proxy.connections == 2
    assert SIZE < proxy.sent < 1.5 * SIZE
    assert sent < 1.5 * SIZE
    assert any("trying again" in line for line in board.told)


def test_cut_again_and_again_it_arrives(board, proxy, file):
    blob = Blob.of(file)
    proxy.cuts = [SIZE // 6] * 5
    with board.session(port=proxy.port) as session:
        ship(session, [blob])
    assert arrived(board, blob)
    assert proxy.connections == 6
    assert proxy.sent < 2 * SIZE


def test_after_giving_up_another_call_goes_on(board, proxy, file):
    blob = Blob.of(file)
    proxy.cuts = [SIZE // 2]
    with board.session(port=proxy.port) as session:
        session.link()
        proxy.refuse = True
        with pytest.raises(RemoteError, match="what was copied is kept: call again"):
            ship(session, [blob])
    had = part_size(board, blob)
    assert SIZE // 4 < had < SIZE
    proxy.refuse = False
    before = proxy.sent
    with board.session(port=proxy.port) as session:
        assert ship(session, [blob]) == SIZE - had
    assert arrived(board, blob)
    assert proxy.sent - before < SIZE - had + (1 << 20)


COPY = """
import sys
from pathlib import Path
from edgeseg.runtime.remote.address import BoardAddress
from edgeseg.runtime.remote.copying import Blob, ship
from edgeseg.runtime.remote.session import Session
with Session(BoardAddress("board", config=Path(sys.argv[1])), report=print) as session:
    ship(session, [Blob.of(Path(sys.argv[2]))])
"""


@pytest.mark.long
def test_a_killed_client_goes_on_where_it_was(board, proxy, tmp_path):
    file = tmp_path / "large.bin"
    file.write_bytes(random.Random(5).randbytes(8 << 20) * 12)
    blob = Blob.of(file)
    config = str(board.config(port=proxy.port))
    client = subprocess.Popen([sys.executable, "-c", COPY, config, str(file)])
    wait_for(lambda: part_size(board, blob) > 2 << 20)
    client.send_signal(signal.SIGKILL)
    client.wait()
    had = part_size(board, blob)
    assert 0 < had < blob.size
    with board.session() as session:
        assert ship(session, [blob]) <= blob.size - had
    assert arrived(board, blob)


@pytest.mark.parametrize("length", [1000, SIZE, SIZE + 5])
def test_a_damaged_part_is_found_out_and_sent_again(board, file, length):
    blob = Blob.of(file)
    part(board, blob).parent.mkdir(parents=True, exist_ok=True)
    part(board, blob).write_bytes(bytes(length))
    with board.session() as session:
        ship(session, [blob])
    assert arrived(board, blob)


def test_a_file_that_does_not_stay_the_same_is_refused(board, file):
    blob = Blob.of(file)
    file.write_bytes(bytes(SIZE))
    with board.session() as session, pytest.raises(RemoteError, match="3 times"):
        ship(session, [blob])
    assert not (board.root / "blobs" / blob.sha).exists()


def test_names_are_only_names(board, tmp_path):
    names = ["a b", "it's", 'say "so"', "$(touch x)", "-rf", "*", "ü\n.txt", "s/u/b"]
    files = {}
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
        files[name] = Blob.of(tmp_path / name)
    with board.session() as session:
        folder = Path(ship_tree(session, files))
        assert ship_tree(session, files) == str(folder)
    assert {name: (folder / name).read_text() for name in names} == {
        name: name for name in names
    }
    assert not (board.home / "x").exists()


@pytest.mark.long
def test_thousands_of_files_go_in_one_piece(board, proxy, tmp_path):
    files = {}
    for index in range(3000):
        path = tmp_path / f"{index}.txt"
        path.write_text(f"{tmp_path} {index}" * 30)
        files[path.name] = Blob.of(path)
    proxy.cuts = [900_000]
    with board.session(port=proxy.port) as session:
        folder = Path(ship_tree(session, files))
    assert len(os.listdir(folder)) == 3000
    assert (folder / "2999.txt").read_bytes() == (tmp_path / "2999.txt").read_bytes()
    assert proxy.connections == 2


@pytest.fixture
def small_disk(fresh_board):
    """Put a disk of 60 MB where the board keeps its files."""
    fresh_board.root.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(fresh_board.root)]
    if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    yield fresh_board
    subprocess.run(["umount", "-l", str(fresh_board.root)], check=True)


def test_a_disk_that_is_too_small_is_told_before(small_disk, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(bytes(70 << 20))
    with (
        small_disk.session() as session,
        pytest.raises(RemoteError, match="MB free, 73 MB are to be copied"),
    ):
        ship(session, [Blob.of(path)])


def test_a_disk_that_fills_meanwhile_leaves_nothing_half(small_disk, tmp_path):
    path = tmp_path / "large"
    path.write_bytes(random.Random(1).randbytes(20 << 20))
    blob = Blob.of(path)
    with small_disk.session() as session:
        link = session.link()
        (small_disk.root / "other").write_bytes(bytes(45 << 20))
        link.send("put", sha=blob.sha, offset=0, payload=blob.size)
        with pytest.raises(RemoteError, match="no room left in"):
            link.send_bytes(path.read_bytes())
    assert not part(small_disk, blob).exists()
    assert not (small_disk.root / "blobs" / blob.sha).exists()


@pytest.mark.long
@given(
    data=st.binary(min_size=1, max_size=3 * store.PIECE),
    cuts=st.lists(st.integers(0, 3 * store.PIECE), max_size=4),
)
def test_whatever_the_cuts_the_bytes_are_the_same(data, cuts):
    import io

    sha = hashlib.sha256(data).hexdigest()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", folder)
        for count in [*cuts, len(data)]:
            (offset,) = store.offsets([[sha, len(data)]])
            if offset < 0:
                break
            stream = io.BufferedReader(io.BytesIO(data[offset : offset + count]))
            store.put(stream, sha, offset, len(data) - offset)
        assert store.commit([[sha, len(data)]]) == []
        assert store.offsets([[sha, len(data)]]) == [-1]
        assert Path(store.place("blobs", sha)).read_bytes() == data
