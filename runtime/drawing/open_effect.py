"""From an effect string to an effect, and what may follow an effect's name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, PluginFolder
from edgeseg.runtime.address import Address, AddressBook

if TYPE_CHECKING:
    from edgeseg.runtime.drawing.effect import Effect

EFFECTS = PluginFolder("effect", "edgeseg.runtime.effects")
EFFECT_ADDRESSES = AddressBook(EFFECTS)


def open_effect(text: str) -> Effect:
    """Make the effect that a string names.

    Parameters
    ----------
    text : str
        ``NAME`` or ``NAME:REST``, such as ``overlay``, ``blur:31`` or
        ``picture:beach.jpg``.

    Raises
    ------
    UnknownPluginError
        No effect has that name; the message lists them.
    InputError
        The effect cannot use what follows its name.
    """
    # to open an unknown name raises what lists the known ones
    address = EFFECT_ADDRESSES.named(text) or Address(text.partition(":")[0], "")
    effect: Effect = EFFECT_ADDRESSES.open(address)
    return effect


def whole_number(
    effect: str, text: str, *, what: str, default: int, low: int, high: int
) -> int:
    """Return the number that follows an effect's name, or `default` if none does.

    Raises
    ------
    InputError
        It is no whole number of `low` to `high`.
    """
    if not text:
        return default
    value = int(text) if re.fullmatch("[0-9]{1,6}", text) else low - 1
    if not low <= value <= high:
        raise InputError(
            f"expected {what}, a whole number of {low} to {high}, after the effect's "
            f"name, such as {effect}:{default}; got {text!r}"
        )
    return value


def hex_colour(effect: str, text: str) -> tuple[int, int, int]:
    """Return the red, green and blue, 0..255, of ``#RRGGBB``.

    Raises
    ------
    InputError
        It is written in another way.
    """
    if not re.fullmatch("#?[0-9a-fA-F]{6}", text):
        raise InputError(
            f"expected a colour after the effect's name, such as {effect}:#00B140; "
            f"got {text!r}"
        )
    digits = text[-6:]
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
