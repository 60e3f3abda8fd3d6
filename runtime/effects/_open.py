"""From an effect string to an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgeseg.devices import PluginFolder

if TYPE_CHECKING:
    from edgeseg.runtime.effects._base import Effect

EFFECTS = PluginFolder("effect", "edgeseg.runtime.effects")


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
    name, _, rest = text.partition(":")
    effect: Effect = EFFECTS.load(name)(rest)
    return effect
