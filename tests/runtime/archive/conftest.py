from __future__ import annotations

import pytest
from archives import SIZE_HW, drawn

from edgeseg.runtime.pictures.files import write_picture


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Pictures in sub-folders, two of one stem, and three that are none."""
    root = tmp_path_factory.mktemp("archive") / "photos"
    for number in range(24):
        write_picture(root / f"{number % 3}" / f"p{number:02d}.png", drawn(number))
    write_picture(root / "both.png", drawn(50))
    write_picture(root / "both.jpg", drawn(51))
    for name in ("bad.jpg", "1/bad.png", "2/cut.png"):
        (root / name).write_bytes(b"no picture at all")
    (root / "2" / "cut.png").write_bytes((root / "0" / "p00.png").read_bytes()[:90])
    return root


@pytest.fixture(scope="session")
def clip(tmp_path_factory):
    """A video of 300 frames: more than an actor does at a time."""
    cv2 = pytest.importorskip("cv2")
    path = tmp_path_factory.mktemp("clip") / "clip.avi"
    code = cv2.VideoWriter.fourcc(*"MJPG")
    writer = cv2.VideoWriter(str(path), code, 25, SIZE_HW[::-1])
    for number in range(300):
        writer.write(drawn(number // 40))
    writer.release()
    return path
