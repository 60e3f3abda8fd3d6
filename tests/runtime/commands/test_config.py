from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from edgeseg.devices import EdgesegError, InputError
from edgeseg.runtime.commands.config import config_option, load_config
from edgeseg.runtime.commands.run import run

GOOD = """
model = "models/deeplab.tflite"
source = "rtsp://camera/stream"
output = ["web:127.0.0.1:8080", "masks:found/", "clip.mp4", "null:", "-"]
threads = 4
alpha = 1
contours = true
skip_existing = true
shapes = "rle"
labels = "pascal-voc"
"""


@pytest.fixture
def write(tmp_path):
    def put(text):
        path = tmp_path / "run.toml"
        path.write_text(text)
        return path

    return put


def test_a_configuration_gives_the_arguments_of_run(write, tmp_path):
    values = load_config(write(GOOD), run)
    assert values == {
        "model": str(tmp_path / "models/deeplab.tflite"),
        "source": "rtsp://camera/stream",
        "outputs": [
            "web:127.0.0.1:8080",
            f"masks:{tmp_path}/found/",
            f"{tmp_path}/clip.mp4",
            "null:",
            "-",
        ],
        "threads": 4,
        "alpha": 1,
        "contours": True,
        "skip_existing": True,
        "shapes": "rle",
        "labels": "pascal-voc",
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("clip.mp4", "{0}/clip.mp4"),
        ("/data/clip.mp4", "/data/clip.mp4"),
        ("frames/", "{0}/frames/"),
        ("pictures/*.jpg", "{0}/pictures/*.jpg"),
        ("folder:pictures", "folder:{0}/pictures"),
        ("pictures", "{0}/pictures"),
        ("./a:b.mp4", "{0}/a:b.mp4"),
        ("a:b.mp4", "a:b.mp4"),  # the name of no source, and no file
        ("camera:0", "camera:0"),
        ("v4l2:/dev/video0", "v4l2:/dev/video0"),
        ("http://host/stream.mjpg", "http://host/stream.mjpg"),
        ("picamera", "picamera"),
        ("synthetic:64x64,live", "synthetic:64x64,live"),
    ],
)
def test_files_are_beside_the_configuration(write, tmp_path, text, expected):
    values = load_config(write(f'source = "{text}"'), run)
    assert values == {"source": expected.format(tmp_path)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('classes = ["cat", "dog"]', {"classes": "cat,dog"}),
        ('classes = "cat"', {"classes": "cat"}),
        ("rotate = 90", {"rotate": "90"}),
        ("web = true", {"web": "127.0.0.1:8080"}),
        ('web = ":0"', {"web": ":0"}),
    ],
)
def test_what_toml_writes_in_its_own_way(write, text, expected):
    assert load_config(write(text), run) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("out", "{0}/out"), ("null", "null"), ("-", "-"), ("rtp://h:1", "rtp://h:1")],
)
def test_outputs_are_beside_the_configuration(write, tmp_path, text, expected):
    values = load_config(write(f'output = "{text}"'), run)
    assert values == {"outputs": [expected.format(tmp_path)]}


def test_a_file_named_like_a_plugin_or_label_set_is_that_file(write, tmp_path):
    (tmp_path / "picamera").mkdir()
    (tmp_path / "labels.txt").write_text("background\ncat\n")
    values = load_config(write('source = "picamera"\nlabels = "labels.txt"'), run)
    assert values["source"] == str(tmp_path / "picamera")
    assert values["labels"] == str(tmp_path / "labels.txt")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("modell = 'a'", "unknown key 'modell'; did you mean 'model'?"),
        ("zzz = 1", "unknown key 'zzz'; known: alpha"),
        ("[run]\nmodel = 'a'", "unknown key 'run'"),
        ("model = 3", "model: expected text, got the int 3"),
        ("model = ''", "model: expected text, got nothing"),
        ("model = ['a']", "model: expected text, got the list"),
        ("threads = '4'", "threads: expected a whole number, got the text '4'"),
        ("threads = true", "threads: expected a whole number, got the boolean True"),
        ("threads = 0", "threads: 0 is not in the range"),
        ("threads = 2.5", "threads: expected a whole number, got the float"),
        ("alpha = 2", "alpha: 2.*is not in the range"),
        ("alpha = nan", "alpha"),
        ("contours = 1", "contours: expected true or false, got the int 1"),
        ("contours = 'yes'", "contours: expected true or false, got the text 'yes'"),
        ("shapes = 'round'", "shapes: 'round' is not one of"),
        ("output = [1]", "output: expected text, or a list of texts, got the int 1"),
        ("output = {a = 1}", "output: expected text, or a list of texts, got a table"),
        ("normalize = '1,0'", "normalize"),
        ("config = 'b.toml'", "unknown key 'config'"),
        ("model = ", "expected TOML"),
        ("model = 'a'\nmodel = 'b'", "expected TOML"),
        ('model = "a\\u0000"', "model: expected text, got one with a NUL"),
        ('output = ["a\\u0000"]', "output: .*got one with a NUL"),
        ("model = " + "[" * 50_000, "inside each other to no end"),
        ("model = " + "{a=" * 50_000, "inside each other to no end"),
    ],
)
def test_a_wrong_configuration_names_the_key_in_one_line(write, text, words):
    path = write(text)
    with pytest.raises(InputError, match=words) as caught:
        load_config(path, run)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_missing_or_binary_file_is_named(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        load_config(tmp_path / "none.toml", run)
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="expected TOML"):
        load_config(tmp_path / "bad.toml", run)


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("-o", "--output", "outputs", multiple=True)
@click.option("--threads", type=click.IntRange(1, 8), default=2)
@click.option("--contours", is_flag=True)
@config_option
def command(model, outputs, threads, contours):
    click.echo(f"{model} {outputs} {threads} {contours}")


def test_the_command_line_comes_before_the_configuration(write, tmp_path):
    path = write("model = 'a.tflite'\noutput = ['null:']\nthreads = 4\ncontours = true")
    told = CliRunner().invoke(command, ["--config", str(path)], catch_exceptions=False)
    assert told.output == f"{tmp_path}/a.tflite ('null:',) 4 True\n"
    words = ["b.tflite", "--threads", "1", "--config", str(path), "-o", "-"]
    told = CliRunner().invoke(command, words, catch_exceptions=False)
    assert told.output == "b.tflite ('-',) 1 True\n"


def test_without_a_model_the_usage_is_shown(write):
    told = CliRunner().invoke(command, ["--config", str(write("threads = 4"))])
    assert told.exit_code == 2
    assert "MODEL" in told.output


def test_an_error_of_the_configuration_is_an_error_of_the_command(write):
    told = CliRunner().invoke(command, ["--config", str(write("thread = 4"))])
    assert isinstance(told.exception, EdgesegError)
