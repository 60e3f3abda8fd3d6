"""How results are drawn: what a user may switch while a run goes on."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from edgeseg.devices import InputError
from edgeseg.devices.plain_text import shortened
from edgeseg.runtime.drawing.effect import EDGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Json
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.zones.zone import Zone


@dataclass(frozen=True)
class Look:
    """How results are drawn.

    Parameters
    ----------
    effect : str
        Effect string; see `open_effect`.
    alpha : float
        Strength of a tint, 0..1.
    classes : tuple of str
        Names of the classes that are to be seen; empty for all but background.
    contours, legend, statistics : bool
        Draw borders of areas; write the classes found; write rate, latency and age.
    inside, outside : tuple of str
        Names of the zones in which alone, or outside of which, the effect is drawn;
        empty for the whole picture.
    hide_zones : bool
        Draw no zones and lines.
    edges : {"guided", "smooth", "hard"}
        How the border between subject and background runs, in effects that change
        one of them: where the picture has an edge, smoothly along the border of the
        class ids, or exactly on it.
    """

    effect: str = "overlay"
    alpha: float = 0.5
    classes: tuple[str, ...] = ()
    contours: bool = False
    legend: bool = False
    statistics: bool = False
    inside: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    hide_zones: bool = False
    edges: str = EDGES[0]

    def __post_init__(self) -> None:
        if self.inside and self.outside:
            raise InputError(
                "in and outside: expected one of them, got zones for both: "
                f"{', '.join(self.inside)} and {', '.join(self.outside)}"
            )
        if not 0 <= self.alpha <= 1:
            raise InputError(f"alpha: expected a number 0..1, got {self.alpha}")
        if self.edges not in EDGES:
            raise InputError(
                f"edges: expected one of {', '.join(EDGES)}, got {self.edges!r}"
            )

    def to_dict(self) -> Json:
        """Return JSON values that `from_dict` takes."""
        return {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Look:
        """Make a look of JSON values; keys that are missing keep their default.

        Raises
        ------
        InputError
            A key is unknown, or its value is of another type; the message names it.

        Examples
        --------
        >>> Look.from_dict({"effect": "blur", "classes": ["dog"]}).classes
        ('dog',)
        """
        known = {field.name: field.default for field in fields(cls)}
        return cls(**{key: _checked(key, values[key], known) for key in values})


def check_look(look: Look, manifest: Manifest, zones: Sequence[Zone] = ()) -> None:
    """Raise `InputError` where a look names what is not there.

    Parameters
    ----------
    look : Look
        What a user asks for.
    manifest : Manifest
        Gives the class names.
    zones : sequence of Zone
        Of the run.

    Raises
    ------
    InputError, UnknownPluginError
        A class, an effect or a zone is not there; the message lists what there is.
    """
    from edgeseg.runtime.drawing.open_effect import open_effect

    shown_ids(look, manifest)
    open_effect(look.effect)
    known = [zone.name for zone in zones]
    for key, names in (("in", look.inside), ("outside", look.outside)):
        for name in names:
            if name not in known:
                there = ", ".join(known) or "none (--zone gives one)"
                raise InputError(f"{key}: unknown zone {name!r}; known: {there}")


def hides_otherwise(look: Look, present: Look) -> bool:
    """Return whether something else would be hidden, or not as well.

    What is drawn over it, such as borders, uncovers nothing.

    Parameters
    ----------
    look, present : Look
        What is asked for, and what is drawn so far.

    Examples
    --------
    >>> hides_otherwise(Look("hide", contours=True), Look("hide"))
    False
    >>> hides_otherwise(Look("hide", classes=("dog",)), Look("hide"))
    True
    """
    return _hidden(look) != _hidden(present)


def _hidden(look: Look) -> tuple[object, ...]:
    return look.effect, look.classes, look.inside, look.outside


def shown_ids(look: Look, manifest: Manifest) -> NDArray[np.bool_]:
    """Return ``(256,)`` bool: the class ids that are to be seen.

    Parameters
    ----------
    look : Look
        Names the classes.
    manifest : Manifest
        Gives their ids. A name may be that of several ids, and a number is an id
        where there is no label of that name.

    Raises
    ------
    InputError
        A name is that of no class; the message lists the known ones.
    """
    import numpy as np

    from edgeseg.runtime.model.labels import background_ids, ids_of

    shown = np.zeros(256, np.bool_)
    if look.classes:
        for name in look.classes:
            shown[ids_of(name, manifest.labels)] = True
        return shown
    shown[: len(manifest.labels) or 256] = True
    shown[list(background_ids(manifest.labels))] = False
    return shown


def _checked(key: str, value: Any, known: Mapping[str, Any]) -> Any:
    """Return a value of the type that its key's default has."""
    if key not in known:
        raise InputError(
            f"unknown key {shortened(key, 60)!r}; known: {', '.join(known)}"
        )
    default = known[key]
    if isinstance(default, bool):
        expected, fits = "true or false", isinstance(value, bool)
    elif isinstance(default, float):
        expected = "a number 0..1"
        fits = isinstance(value, int | float) and not isinstance(value, bool)
    elif isinstance(default, str):
        expected, fits = "text", isinstance(value, str)
    else:
        expected = f"a list of {'class' if key == 'classes' else 'zone'} names"
        fits = isinstance(value, list | tuple) and all(
            isinstance(name, str) for name in value
        )
    if not fits:
        raise InputError(f"{key}: expected {expected}, got {value!r}")
    return tuple(value) if isinstance(value, list) else value
