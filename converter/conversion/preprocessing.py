"""What a network does with pixels itself, taken over by the file's manifest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgeseg.converter.calibration.plausible_input import (
    doubt_by_answers,
    doubt_by_norm,
)
from edgeseg.converter.conversion.pictures import spread
from edgeseg.converter.networks.preprocessing import input_scaling
from edgeseg.runtime.model.preprocessing import preprocessing_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edgeseg.converter.calibration.plausible_input import InputChoice
    from edgeseg.converter.frameworks import KerasModel
    from edgeseg.converter.networks.preprocessing import InputScaling
    from edgeseg.devices.types import Array
    from edgeseg.runtime import Manifest, Overrides, Segmenter

_NAMED = 3  # layers in a message
_LOOKED_AT = 6  # photos
_NO_SIGN = "nothing in the file says so: --normalize changes it"


@dataclass(frozen=True)
class PreparedInput:
    """A network and how it is fed, after its own scaling went into the manifest.

    Parameters
    ----------
    model : keras.Model
        To be lowered.
    manifest : Manifest
        How it is fed.
    text : str
        What it sees of a picture, and how that is known.
    is_guess : bool
        Neither the network nor the user said how it is fed.
    given : Manifest
        How the whole network is fed.
    scaling : InputScaling or None
        What was taken out of the network.
    """

    model: KerasModel
    manifest: Manifest
    text: str
    is_guess: bool
    given: Manifest
    scaling: InputScaling | None = None

    def fed(self, choice: InputChoice) -> Manifest:
        """Return the manifest by which the network gets pixels in another way."""
        manifest = choice.fed(self.given)
        return manifest if self.scaling is None else self.scaling.fold_into(manifest)

    def doubt(
        self, whole: KerasModel, candidate: Segmenter, frames: Sequence[Array]
    ) -> str | None:
        """Return a warning where the guess does not fit the network.

        Parameters
        ----------
        whole : keras.Model
            The network before anything was taken out.
        candidate : Segmenter
            Open on the float TFLite model.
        frames : sequence of ndarray
            ``(H, W, 3)`` uint8 photos.
        """
        if not self.is_guess:
            return None
        frames = spread(frames, _LOOKED_AT)
        found = doubt_by_answers(candidate, frames, self.fed)
        if found is None and self.scaling is None:
            found = doubt_by_norm(whole, candidate, frames)
        return found


def prepare_input(
    model: KerasModel,
    manifest: Manifest,
    overrides: Overrides,
    *,
    is_known: bool = False,
) -> PreparedInput:
    """Return a network without the scaling at its input, which the host does instead.

    Parameters
    ----------
    model : keras.Model
        From `load_model`.
    manifest : Manifest
        How the whole network is fed; see `segmenter_of`.
    overrides : Overrides
        What the user said of that.
    is_known : bool
        Whether the model's file says how it is fed.
    """
    scaling = input_scaling(model)
    is_given = is_known or overrides.normalize is not None
    if scaling is None:
        said = "as --normalize says" if overrides.normalize else "as the file says"
        origin = said if is_given else _NO_SIGN
        text = _text(manifest, f" ({origin})")
        return PreparedInput(model, manifest, text, not is_given, manifest)
    fed = _fed(scaling, is_given)
    is_guess = scaling.pixels is None and not is_given
    if not scaling.can_fold:
        text = _text(manifest, f", which it then scales itself{fed}")
        return PreparedInput(model, manifest, text, is_guess, manifest)
    folded = scaling.fold_into(manifest)
    text = _text(folded, f", taken over from the network{fed}")
    stripped = scaling.stripped()
    return PreparedInput(stripped, folded, text, is_guess, manifest, scaling)


def _text(manifest: Manifest, rest: str) -> str:
    return f"the network sees {preprocessing_text(manifest)}{rest}"


def _fed(scaling: InputScaling, is_given: bool) -> str:
    """Return by which layers a network scales, and what it takes."""
    more = len(scaling.layers) - _NAMED
    named = ", ".join(scaling.layers[:_NAMED]) + (f" and {more} more" * (more > 0))
    if scaling.pixels is None:
        takes = "; whether of pixels 0..255 cannot be seen"
    elif is_given:
        takes = f" of pixels {scaling.pixels}; file or --normalize decides"
    else:
        takes = f" of pixels {scaling.pixels}"
    return f" ({named}{takes})"
