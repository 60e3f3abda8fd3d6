"""Clusters: what listens, what is refused, and what remains whoever is killed."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading

import pytest
from archives import edgeseg

for package in ("ray", "pyarrow"):
    pytest.importorskip(package, reason="needs the extra `archive`")

LISTENERS = """
import os
from pathlib import Path

from edgeseg.benchmarks.studies.archive.processes import family
from edgeseg.runtime.archive.cluster import connected


def listening(pid):
    # the sockets of a process, and which of all listen: proc(5)
    own = set()
    for path in Path(f"/proc/{pid}/fd").iterdir():
        try:
            own.add(os.readlink(path))
        except OSError:
            pass
    for name in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in own:
                yield words[1].rpartition(":")[0]


class Holder:
    def here(self):
        return os.getpid()


with connected(None) as ray:
    ray.get(ray.remote(Holder).remote().here.remote())
    found = [each for kind in family(os.getpid()).values() for each in kind]
    print(len(found) > 3, *sorted({a for each in found for a in listening(each.pid)}))
"""
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", f"{'0' * 24}01000000"}


def test_a_ray_of_our_own_listens_on_this_machine_alone(tmp_path):
    script = tmp_path / "listeners.py"
    script.write_text(LISTENERS)
    done = subprocess.run(
        [sys.executable, script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    several, *addresses = done.stdout.split()
    assert several == "True", done.stderr
    assert addresses
    assert set(addresses) <= LOOPBACK


@pytest.mark.parametrize("answer", [b"220 ready\r\n" * 3, b"", None])
def test_a_port_of_something_else_is_refused_soon(
    golden_model, photos, tmp_path, answer
):
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve():
            connection, _ = server.accept()
            with connection:
                if answer is None:  # it waits for what never comes
                    connection.recv(1 << 16)
                    connection.recv(1)
                else:
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        words = "archive", golden_model, photos, "-o", tmp_path / "out"
        done = edgeseg(*words, "--ray", address)
    assert done.stderr == (
        f"Error: no cluster of Ray at {address}: something else listens there; "
        "expected the address that ray start --head prints\n"
    )
    assert not (tmp_path / "out").exists()


def test_more_threads_than_any_machine_has_is_an_error(golden_model, photos, tmp_path):
    words = "archive", golden_model, photos, "-o", tmp_path / "out", "--threads", 1000
    done = edgeseg(*words)
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: --threads: no machine has so many cores")
    assert not (tmp_path / "out").exists()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # of Ray's test cluster
def test_nothing_is_lost_or_done_twice_whoever_is_killed(
    golden_model, photos, clip, tmp_path
):
    from edgeseg.benchmarks.studies.archive.kills import KINDS, kill_each

    found = {}
    for each in kill_each(golden_model, [photos, clip], tmp_path):
        found |= each
    assert (found["nodes"], found["pictures"]) == (3, 326)
    for kill in KINDS:
        result = found[kill]
        counts = {
            key: result[key]
            for key in ("rows", "twice", "missing", "masks", "left_behind")
        }
        assert counts == {
            "rows": 326,
            "twice": 0,
            "missing": 0,
            "masks": 326,
            "left_behind": 0,
        }, (kill, result)
        assert (result["other_rows"], result["other_masks"]) == (0, 0)
        assert len(result["unread"]) == 3
        assert result["exit"][-1] == 1  # three could not be read
    for kill in ("driver", "all nodes"):
        assert found[kill]["exit"][0] == -9
        assert found[kill]["masks_at_the_kill"] < 326
    for kill in ("actor", "node"):
        assert found[kill]["summary"]["processes_died"] > 0
