"""What a ``.rknn`` file says of itself, and files that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rknn_files import rknn_file

from edgeseg.devices import ModelError
from edgeseg.devices.rknn_file import parse_rknn, read_rknn

WHOLE = rknn_file()


def test_a_file_says_its_tensors_and_chips(tmp_path):
    path = tmp_path / "net.rknn"
    path.write_bytes(rknn_file(chips=("RK3566", "rk3568")))
    found = read_rknn(path)
    assert found.chips == ("rk3566", "rk3568")
    assert found.version == "2.5.0"
    assert [(t.name, t.shape) for t in found.inputs] == [("image", (1, 3, 16, 24))]
    assert [(t.name, t.shape) for t in found.outputs] == [("scores", (1, 3, 8, 12))]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"no \.rknn file"),
        (b"TFL3" + bytes(200), r"no \.rknn file: .* edgeseg compile"),
        (WHOLE[:20], "damaged"),
        (WHOLE[:90], "damaged"),
        (WHOLE[:-1], "cut short"),
        (rknn_file(graph=None), "damaged"),
        (rknn_file(norm_tensor=[]), "damaged"),
        (rknn_file(target_platform=7), "damaged"),
        (rknn_file(image=("wide",)), "damaged"),
    ],
)
def test_what_is_none_is_one_line(content, message, tmp_path):
    path = tmp_path / "net.rknn"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message) as caught:
        read_rknn(path)
    assert "\n" not in str(caught.value)


def test_one_that_is_not_there(tmp_path):
    with pytest.raises(ModelError, match=r"cannot read .*nowhere"):
        read_rknn(tmp_path / "nowhere.rknn")


@given(st.integers(0, len(WHOLE) - 1), st.binary(max_size=12))
def test_damage_is_an_error_or_another_description(place, noise):
    content = WHOLE[:place] + noise + WHOLE[place + len(noise) :]
    message = ""
    try:
        parse_rknn(content, "it")
    except ModelError as error:
        message = str(error)
    assert "\n" not in message
