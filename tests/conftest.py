from __future__ import annotations

import importlib.util
import logging
import os
import signal
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from mqtt_broker import Listener, Mosquitto

import edgeseg.benchmarks

# no clock, same examples each time: machines are slow at times, failures must repeat;
# an emulator takes fewer of them
settings.register_profile(
    "edgeseg",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=True,
    max_examples=int(os.environ.get("EDGESEG_EXAMPLES", "100")),
)
settings.load_profile("edgeseg")

# FFmpeg inside OpenCV takes its level when a process first opens a video, which here
# may be a test's own doing; what a user's process prints is tested in one of its own
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

# tests that import ONNX Runtime themselves report nothing to its maker either
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# a job in a shell's background ignores it, and so would all that tests start
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent

# a wheel carries no studies: where one is tested, they come from the checkout
if importlib.util.find_spec("edgeseg.benchmarks.studies") is None:
    edgeseg.benchmarks.__path__.append(str(ROOT / "benchmarks"))


@pytest.fixture(autouse=True)
def package_logger():
    """Take back what the command line makes of warnings: `caplog` must see them."""
    logger = logging.getLogger("edgeseg")
    handlers, propagate = list(logger.handlers), logger.propagate
    yield
    logger.handlers, logger.propagate = handlers, propagate


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def shared():
    """The developers' folder of real models and photos beside the checkout."""
    folder = Path(os.environ.get("EDGESEG_SHARED", ROOT.parent / "shared"))
    if not (folder / "models").is_dir():
        pytest.skip(f"needs real models and photos in {folder}: not there")
    return folder


@pytest.fixture(scope="session")
def voc(shared):
    return shared / "data" / "voc-animals"


@pytest.fixture(scope="session")
def shapes_keras(root):
    return root / "tests" / "golden" / "shapes.keras"


@pytest.fixture(scope="session")
def shapes_labels(tmp_path_factory):
    path = tmp_path_factory.mktemp("labels") / "labels.txt"
    path.write_text("background\ndisc\nsquare\ntriangle\n")
    return path


@pytest.fixture(scope="session")
def calibration(tmp_path_factory):
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    from scenes import draw_calibration

    return draw_calibration(tmp_path_factory.mktemp("calibration"), 40)


@pytest.fixture(scope="session")
def shapes_conversion(shapes_keras, shapes_labels, calibration, tmp_path_factory):
    """The shipped model converted once: the real thing for every test that runs one."""
    pytest.importorskip("tensorflow", reason="needs the extra `convert`")
    from edgeseg.converter import convert
    from edgeseg.runtime import Overrides

    return convert(
        shapes_keras,
        calibration=calibration,
        output=tmp_path_factory.mktemp("model") / "shapes.tflite",
        overrides=Overrides(labels=str(shapes_labels)),
    )


@pytest.fixture(scope="session")
def shapes_tflite(shapes_conversion):
    return shapes_conversion.path


@pytest.fixture(scope="session")
def golden_model(root):
    """The shipped shapes model as the converter made it once: needs no TensorFlow."""
    return root / "tests" / "golden" / "shapes.tflite"


@pytest.fixture
def full_disk(tmp_path):
    """A file system with room for 40 kB."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def broker(tmp_path):
    """A real MQTT broker that lets everybody in."""
    mosquitto = Mosquitto(tmp_path, "allow_anonymous true")
    yield mosquitto
    mosquitto.stop()


@pytest.fixture
def listener(broker):
    """A client that hears all that the broker is told."""
    heard = Listener(broker.port)
    yield heard
    heard.close()
