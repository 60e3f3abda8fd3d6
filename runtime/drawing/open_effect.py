"""From an effect string to an effect, and what may follow an effect's name."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import TYPE_CHECKING

from edgeseg.devices import InputError, MissingDriverError, PluginFolder
from edgeseg.runtime.address import Address, AddressBook

if TYPE_CHECKING:
    from edgeseg.devices.types import Json
    from edgeseg.runtime.drawing.effect import Effect, Strength

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


def is_private(text: str) -> bool:
    """Return whether an effect is there for privacy, as `Effect.private` declares it.

    Examples
    --------
    >>> is_private("hide:80"), is_private("blur")
    (True, False)
    """
    return bool(getattr(EFFECTS.load(text.partition(":")[0]), "private", False))


def effect_controls(name: str) -> Json:
    """Return what a page shows of an effect, as JSON values.

    An effect whose package is not installed has its name alone.
    """
    try:
        effect: type[Effect] | None = EFFECTS.load(name)  # type: ignore[assignment]
    except MissingDriverError:
        effect = None
    strength: Strength | None = getattr(effect, "strength", None)
    return {
        "title": getattr(effect, "title", "") or name,
        "strength": None if strength is None else asdict(strength),
        "takes_colour": getattr(effect, "takes_colour", False),
        "takes_file": EFFECT_ADDRESSES.kind(name).is_path,
        "tints": getattr(effect, "tints", False),
    }


def whole_number(effect: str, text: str, *, what: str, within: Strength) -> int:
    """Return the number that follows an effect's name; if none does, the default.

    Raises
    ------
    InputError
        It is no whole number of that range.
    """
    if not text:
        return within.default
    value = int(text) if re.fullmatch("[0-9]{1,6}", text) else within.low - 1
    if not within.low <= value <= within.high:
        raise InputError(
            f"expected {what}, a whole number of {within.low} to {within.high}, after "
            f"the effect's name, such as {effect}:{within.default}; got {text!r}"
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
