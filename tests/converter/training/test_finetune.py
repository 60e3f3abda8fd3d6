"""Trainings from end to end: they learn, go on after a kill, and refuse bad input."""

from __future__ import annotations

import csv
import json
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

from click.testing import CliRunner
from PIL import Image

from edgeseg.converter import convert
from edgeseg.converter.commands.finetune import finetune as command
from edgeseg.converter.commands.finetune import finetuned_text
from edgeseg.converter.loading.load import load_keras
from edgeseg.converter.training.finetune import finetune
from edgeseg.converter.training.settings import Network, Pictures, Settings
from edgeseg.devices import ConversionError, EdgesegError, InputError, OutputError
from edgeseg.runtime import Overrides, Segmenter
from edgeseg.runtime.pictures.files import read_picture
from edgeseg.runtime.sources.synthetic import LABELS

pytestmark = pytest.mark.long  # converts or trains real networks

FAST = {"rate": 3e-3, "new_rate": 1e-2, "batch": 8, "epochs": 2}
CHILD = "from edgeseg.converter.commands.finetune import finetune; finetune()"


def settings(root, start, **options):
    return Settings(str(start), Pictures(root), **(FAST | options))


def rows(folder):
    with (folder / "log.csv").open() as file:
        return list(csv.DictReader(file))


def edited(drawn, target, edit):
    """Copy a data set and change it."""
    for path in sorted(drawn.rglob("*")):
        if path.is_file():
            copy = target / path.relative_to(drawn)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    edit(target)
    return target


def test_the_loss_falls_and_the_score_rises(drawn, shapes_keras, tmp_path):
    """The shipped network of drawn shapes with a head that has forgotten them."""
    learning = settings(drawn, shapes_keras, rate=1e-4, epochs=5)
    result = finetune(learning, tmp_path)
    losses = [row["loss"] for row in result.rows[1:]]
    assert losses[-1] < 0.8 * losses[0]
    before = result.rows[0]["val_miou"]
    assert result.miou > before + 0.2
    assert [int(row["epoch"]) for row in rows(tmp_path)] == list(range(6))
    told = json.loads((tmp_path / "log.json").read_text())
    assert told["settings"]["rate"] == 1e-4
    assert told["train"]["pictures"] == 58
    assert len(told["start_sha256"]) == 64
    assert (tmp_path / "labels.txt").read_text().split() == list(LABELS)
    assert read_picture(tmp_path / "curves.png").shape[1] > 300
    assert load_keras(result.path).input.shape == (1, 129, 129, 3)
    again = finetune(learning, tmp_path)
    assert again.to_dict() == result.to_dict()  # done: nothing is trained anew


def test_real_pictures(voc, shared, tmp_path):
    """Weights made for 257 pixels get used to 129, on 64 photos."""
    start = shared / "models/keras/deeplabv3_mobilenetv2_dm05_voc_os8_257_release.h5"
    classes = ("background", "person", "cat", "dog", "horse", "cow", "sheep")
    pictures = Pictures(
        voc / "train-320",
        split="train_voc_border",
        val_root=voc / "val",
        classes=classes,
        limit=64,
        val_limit=24,
    )
    options = {"network": Network(size=(129, 129), decoder=False), "epochs": 3}
    result = finetune(
        Settings(str(start), pictures, rate=3e-4, batch=8, **options), tmp_path
    )
    assert result.rows[-1]["loss"] < result.rows[1]["loss"]
    assert result.miou > result.rows[0]["val_miou"] + 0.02


def child(drawn, tiny, folder, *options):
    """Start a training in a process of its own."""
    arguments = [str(drawn), "--from", str(tiny), "-o", str(folder)]
    fast = ["--epochs", "6", "--rate", "3e-3", "--new-rate", "1e-2", *options]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, *arguments, *fast],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder.parent,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def wait_for_epoch(process, folder, epoch):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        log = folder / "log.csv"
        if log.exists() and len(rows(folder)) > epoch:
            return
        time.sleep(0.02)
    pytest.fail(f"no epoch {epoch}: {process.communicate(timeout=9)}")


@pytest.mark.parametrize(
    ("signum", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)]
)
def test_a_training_goes_on_after_a_signal(drawn, tiny, tmp_path, signum, code):
    folder = tmp_path / "out"
    process = child(drawn, tiny, folder)
    wait_for_epoch(process, folder, 2)
    process.send_signal(signum)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == code, errors
    if signum == signal.SIGTERM:
        assert "the same command goes on" in out
    assert "Traceback" not in errors
    lines = []
    result = finetune(settings(drawn, tiny, epochs=6), folder, progress=lines.append)
    (step,) = (line.split()[4] for line in lines if line.startswith("going on"))
    assert 0 < int(step) < result.total
    assert [int(row["epoch"]) for row in rows(folder)] == list(range(7))
    assert [int(row["step"]) for row in rows(folder)] == [7 * e for e in range(7)]
    assert not list(folder.rglob(".*"))


def test_other_settings_do_not_go_on(drawn, tiny, tmp_path):
    finetune(settings(drawn, tiny, epochs=1), tmp_path)
    with pytest.raises(InputError, match=r"rate was 0\.003, now 0\.001.*--restart"):
        finetune(settings(drawn, tiny, epochs=1, rate=1e-3), tmp_path)
    anew = settings(drawn, tiny, epochs=1, rate=1e-3)
    assert finetune(anew, tmp_path, restart=True).steps == 7


def test_a_time_budget_is_used_to_its_end(drawn, tiny, tmp_path):
    """That it is not passed, `test_schedule` shows without a clock."""
    short = settings(drawn, tiny, epochs=None, minutes=0.2)
    result = finetune(short, tmp_path)
    assert result.steps == result.total > 0
    assert result.rows[-1]["val_miou"] is not None
    assert result.seconds > 0.9 * 12


def test_classes_that_are_never_learnt_are_named(drawn, tiny, tmp_path):
    """A class of one pixel in all pictures."""

    def hide(root):
        (root / "labels.txt").write_text("\n".join((*LABELS, "speck")))
        masks = sorted((root / "masks").iterdir())
        for path in masks:
            ids = np.array(Image.open(path))
            ids[0, 0] = len(LABELS)
            Image.fromarray(ids).save(path)

    lines = []
    data = edited(drawn, tmp_path / "data", hide)
    result = finetune(
        settings(data, tiny, epochs=1), tmp_path / "out", progress=lines.append
    )
    assert "speck" in result.never_learnt
    assert "never above 1 % IoU:" in finetuned_text(result)
    assert any("IoU %: background" in line and "speck 0.0" in line for line in lines)


def test_two_classes_of_ones_own_to_the_board(tmp_path, shapes_keras, draw):
    """A folder of 40 pictures, from the command to what the board answers."""
    data = draw(tmp_path / "data", 40, labels=("background", "disc"), hw=(120, 160))
    folder = tmp_path / "out"
    arguments = [str(data), "--from", str(shapes_keras), "-o", str(folder), "--json"]
    fast = ["--epochs", "6", "--rate", "1e-4", "--new-rate", "1e-2"]
    done = CliRunner().invoke(command, [*arguments, *fast])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    labels = Overrides(labels=told["labels"])
    model = tmp_path / "discs.tflite"
    convert(told["path"], output=model, calibration=data / "images", overrides=labels)
    with Segmenter.open(model) as segmenter:
        assert segmenter.manifest.labels == ("background", "disc")
        found = segmenter.segment(read_picture(data / "images" / "scene_004.jpg"))
    assert found.ids.shape == (120, 160)
    assert set(found.areas) <= {0, 1}
    assert told["miou"] > 0.6


def paint(value, shape=(64, 80)):
    def edit(root):
        Image.fromarray(np.full(shape, value, np.uint8)).save(
            root / "masks" / "scene_007.png"
        )

    return edit


def name_five(root):
    (root / "labels.txt").write_text("\n".join((*LABELS, "hexagon")))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (paint(9), r"scene_007\.png: ids \[9\] are neither one of 4 labels nor void"),
        (paint(1, (64, 81)), "scene_007 differ in size: 80x64 and 81x64"),
        (name_five, "no pixel of hexagon in the masks to train on"),
    ],
)
def test_unusable_masks(drawn, tiny, tmp_path, edit, message):
    data = edited(drawn, tmp_path / "data", edit)
    with pytest.raises(InputError, match=message):
        finetune(settings(data, tiny), tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.keras"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 64}, "at least as many pictures as a batch, 64, got 58"),
        ({"device": "gpu"}, "expected a graphics card for --device gpu"),
        ({"schedule": "steps"}, "--schedule must be one of poly, cosine"),
        ({"freeze_until": "nowhere"}, "no layer 'nowhere' to freeze until"),
    ],
)
def test_unusable_settings(drawn, tiny, tmp_path, options, message):
    if options.get("device") == "gpu":
        from edgeseg.converter.training.processors import gpu_count

        if gpu_count():
            pytest.skip("this machine has a graphics card")
    with pytest.raises(InputError, match=message) as caught:
        finetune(settings(drawn, tiny, **options), tmp_path / "out")
    assert "\n" not in str(caught.value)


def test_no_such_start(drawn, tmp_path):
    with pytest.raises(InputError, match="no such file; 'none' trains from nothing"):
        finetune(settings(drawn, tmp_path / "gone.h5"), tmp_path / "out")


def test_a_diverging_training_keeps_the_best_weights(drawn, tiny, tmp_path):
    wild = settings(drawn, tiny, rate=1e30, new_rate=1e38, epochs=3)
    with pytest.raises(ConversionError, match=r"diverged: the loss is .*--new-rate"):
        finetune(wild, tmp_path)
    for value in load_keras(tmp_path / "best.keras").get_weights():
        assert np.isfinite(value).all()
    with zipfile.ZipFile(tmp_path / "best.keras") as archive:
        said = archive.read("config.json")
    assert b"_initializer" not in said  # other versions of Keras read it


def test_a_full_disk_leaves_what_was_there(drawn, tiny, tmp_path):
    """Files may not grow over 8 kB: no model and no state can be written."""
    finetune(settings(drawn, tiny, epochs=1), tmp_path)
    good = (tmp_path / "best.keras").read_bytes()
    state = (tmp_path / "last" / "state.npz").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(line):
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, limits[1]))

    other = settings(drawn, tiny, epochs=2, seed=1)
    try:
        with pytest.raises(OutputError, match=r"cannot write .*other"):
            finetune(other, tmp_path / "other", progress=fill)
        (tmp_path / "last" / "state.npz").touch()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (tmp_path / "best.keras").read_bytes() == good
    assert (tmp_path / "last" / "state.npz").read_bytes() == state
    assert not list((tmp_path / "other").rglob("*.keras"))


def test_help_tells_the_layout_and_the_way_on():
    done = CliRunner().invoke(command, ["--help"])
    assert done.exit_code == 0
    for words in ("labels.txt", "edgeseg convert", "--from", "--teacher", "--minutes"):
        assert words in done.output


def test_errors_are_one_line(drawn, tmp_path):
    done = CliRunner().invoke(
        command, [str(drawn), "--from", "gone.h5", "-o", str(tmp_path / "out")]
    )
    assert isinstance(done.exception, EdgesegError)
    assert "\n" not in str(done.exception)
