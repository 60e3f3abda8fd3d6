"""Archives of pictures on a real S3 server on this machine."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time

import pytest
from archives import edgeseg, files_of

from edgeseg.devices import InputError, MissingDriverError
from edgeseg.runtime.archive.remote_files import files_below, local_copy

fs = pytest.importorskip("pyarrow.fs", reason="needs the extra `archive`")


@pytest.fixture(scope="module")
def servers():
    """Return what starts a server, and its address."""
    pytest.importorskip("moto.server", reason="needs moto[server]")
    running = []

    def start(**environment):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1"]
        process = subprocess.Popen(
            [*command, "-p", str(port)],
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        running.append(process)
        while process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                time.sleep(0.1)
        return f"127.0.0.1:{port}"

    yield start
    for process in running:
        process.kill()
        process.wait()


def settings(address):
    return {
        "AWS_ENDPOINT_URL": f"http://{address}",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "something",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture(scope="module")
def bucket(servers, photos):
    """The environment that reaches a bucket with the photos and a name with a space."""
    address = servers()
    values = settings(address)
    store = fs.S3FileSystem(
        endpoint_override=address,
        scheme="http",
        access_key=values["AWS_ACCESS_KEY_ID"],
        secret_key=values["AWS_SECRET_ACCESS_KEY"],
        region="us-east-1",
        allow_bucket_creation=True,
    )
    store.create_dir("bucket")
    for name, content in files_of(photos).items():
        with store.open_output_stream(f"bucket/some photos/{name}") as stream:
            stream.write(content)
    return {**os.environ, **values}


def test_pictures_of_a_bucket_are_those_of_the_folder(
    bucket, golden_model, photos, tmp_path
):
    pytest.importorskip("ray", reason="needs the extra `archive`")
    words = "archive", golden_model, "s3://bucket/some photos", "-o", tmp_path / "s3"
    done = edgeseg(*words, "--json", env=bucket)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: 3 of 29 could not be read")
    assert json.loads(done.stdout)["done"] == 26
    local = edgeseg("run", golden_model, photos, "-o", f"masks:{tmp_path / 'run'}")
    assert local.returncode == 1
    assert files_of(tmp_path / "s3" / "masks") == files_of(tmp_path / "run")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("s3://nobody/photos", "no such file or folder: s3://nobody/photos"),
        ("s3://nobody", "no such file or folder: s3://nobody"),
        ("s3://bucket/nothing", "no such file or folder: s3://bucket/nothing"),
        ("s3://", "expected s3://BUCKET/PATH"),
        ("s3:///photos", "expected s3://BUCKET/PATH"),
    ],
)
def test_what_a_store_has_not_is_one_line(
    bucket, golden_model, tmp_path, url, expected
):
    words = "archive", golden_model, url, "-o", tmp_path / "out", "--dry-run"
    done = edgeseg(*words, env=bucket)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    assert expected in line


def test_credentials_that_are_refused_are_one_line(servers, golden_model, tmp_path):
    environment = settings(servers(INITIAL_NO_AUTH_ACTION_COUNT="0"))
    words = "archive", golden_model, "s3://bucket/photos", "-o", tmp_path / "out"
    done = edgeseg(*words, "--dry-run", env={**os.environ, **environment})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: cannot read s3://bucket/photos: ")
    assert "AWS_ACCESS_KEY_ID" in line


def test_a_server_that_is_not_there_is_one_line(golden_model, tmp_path):
    environment = settings("127.0.0.1:9")
    words = "archive", golden_model, "s3://bucket/photos", "-o", tmp_path / "out"
    done = edgeseg(*words, "--dry-run", env={**os.environ, **environment})
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: cannot read s3://bucket/photos: ")


def test_a_scheme_whose_package_is_missing_says_which():
    pytest.importorskip("fsspec", reason="needs fsspec")
    if importlib.util.find_spec("adlfs") is not None:
        pytest.skip("adlfs is installed")
    with pytest.raises(MissingDriverError, match="Install adlfs"):
        files_below("abfs://container/photos")


def test_whatever_a_file_system_raises_is_one_error(monkeypatch, tmp_path):
    fsspec = pytest.importorskip("fsspec", reason="needs fsspec")

    class Broken(fsspec.AbstractFileSystem):
        protocol = "broken"

        def info(self, path, **options):
            raise RuntimeError("the store\nhas lost it")

        def _open(self, path, *arguments, **options):
            raise TypeError("no such thing")

    fsspec.register_implementation("broken", Broken, clobber=True)
    with pytest.raises(InputError, match=r"cannot read broken://a/b: the store"):
        files_below("broken://a/b")
    with (
        pytest.raises(InputError, match=r"cannot read broken://a/b"),
        local_copy("broken://a/b.jpg"),
    ):
        raise AssertionError("it was read")
