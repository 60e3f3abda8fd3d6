"""The contract of an effect as a function that any author of one can call."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import is_printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.drawing.effect import Effect, Scene

_SIZE_HW = 60, 90


def check_effect(effect: Effect) -> None:
    """Raise unless an effect keeps the contract of `Effect`.

    Parameters
    ----------
    effect : Effect
        Freshly made.

    Raises
    ------
    AssertionError
        The contract is broken; the message says where.

    Examples
    --------
    >>> from edgeseg.runtime.drawing.open_effect import open_effect
    >>> check_effect(open_effect("blur:50"))
    """
    import numpy as np

    scene = _scene()
    before = scene.frame.copy(), scene.ids.copy()
    drawn = effect.draw(scene)
    _check(drawn.dtype == np.uint8, "a picture is uint8")
    shapes = ((*_SIZE_HW, 3), (*_SIZE_HW, 4))
    _check(drawn.shape in shapes, "a picture is (H, W, 3), or (H, W, 4) with alpha")
    _check(bool(drawn.flags.c_contiguous), "a picture is contiguous")
    _check(not np.shares_memory(drawn, scene.frame), "a picture is a new one")
    np.testing.assert_array_equal(scene.frame, before[0], "draw changed the frame")
    np.testing.assert_array_equal(scene.ids, before[1], "draw changed the class ids")
    np.testing.assert_array_equal(
        effect.draw(scene), drawn, "same scene, other picture"
    )
    if effect.pointwise:
        bands = [effect.draw(_rows(scene, 0, 17)), effect.draw(_rows(scene, 17, None))]
        np.testing.assert_array_equal(
            np.concatenate(bands), drawn, "pointwise, but rows depend on other rows"
        )
    _check_declared(effect)


def _check_declared(effect: Effect) -> None:
    """Raise unless what a page shows of an effect can be set."""
    made, strength = type(effect), effect.strength
    _check(is_printable(effect.title), "a title is one printable line")
    if strength is not None:
        in_order = 0 <= strength.low <= strength.default <= strength.high
        _check(in_order, "a strength has 0 <= low <= default <= high")
        for number in (strength.low, strength.default, strength.high):
            _check_takes(made, str(number))
    if effect.takes_colour:
        _check_takes(made, "#00b140")


def _check_takes(made: type[Effect], text: str) -> None:
    try:
        made(text)
    except InputError as error:
        raise AssertionError(
            f"effect contract broken: it declares to take {text}, but: {error}"
        ) from error


def _scene() -> Scene:
    import numpy as np

    from edgeseg.runtime.drawing.effect import Scene

    random = np.random.default_rng(0)
    frame = random.integers(0, 256, (*_SIZE_HW, 3), dtype=np.uint8)
    ids: NDArray[np.uint8] = np.zeros(_SIZE_HW, np.uint8)
    ids[10:30, 20:70], ids[40:50, 20:70] = 3, 5
    shown = np.zeros(256, np.bool_)
    shown[3] = True
    return Scene(frame, ids, shown, random.integers(1, 256, (256, 3), dtype=np.uint8))


def _rows(scene: Scene, first: int, last: int | None) -> Scene:
    return replace(scene, frame=scene.frame[first:last], ids=scene.ids[first:last])


def _check(holds: bool, rule: str) -> None:
    if not holds:
        raise AssertionError(f"effect contract broken: {rule}")
