"""From a frame and its classes to the picture that a look asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from edgeseg.runtime.drawing.effect import Scene
from edgeseg.runtime.drawing.look import shown_ids
from edgeseg.runtime.drawing.open_effect import open_effect
from edgeseg.runtime.drawing.overlay import colour_table, legend, outline
from edgeseg.runtime.pictures.row_bands import row_bands

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.runtime.capture.source import Capture
    from edgeseg.runtime.drawing.effect import Effect
    from edgeseg.runtime.drawing.look import Look
    from edgeseg.runtime.model.manifest import Manifest
    from edgeseg.runtime.pipeline.meter import Meter, Readings
    from edgeseg.runtime.segmentation.segmenter import Segmentation
    from edgeseg.runtime.zones.line import Line
    from edgeseg.runtime.zones.zone import Zone

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_LOOKS = 16  # looks that stay prepared; a page's sliders make many


@dataclass(frozen=True)
class _Prepared:
    """What a look comes to for one model."""

    effect: Effect
    shown: NDArray[np.bool_]


@dataclass(frozen=True)
class _Drawn:
    """The last picture and what it was made of."""

    capture: Capture
    segmentation: Segmentation
    look: Look
    picture: NDArray[np.uint8]

    def shows(self, capture: Capture, segmentation: Segmentation, look: Look) -> bool:
        """Return whether the picture is that of these."""
        return (
            self.capture is capture
            and self.segmentation is segmentation
            and self.look == look
        )


class Painter:
    """Draws frames in any look; used by one thread at a time.

    Effects are opened once and kept. Several sinks that ask for the same frame in the
    same look get the same array, drawn once: they must not change it.

    Parameters
    ----------
    manifest : Manifest
        Gives names and colours.
    meter : Meter or None
        Gives the figures of the statistics line.
    zones, lines : sequence of Zone, sequence of Line
        Are drawn, and effects may end at a zone.
    """

    def __init__(
        self,
        manifest: Manifest,
        meter: Meter | None = None,
        zones: Sequence[Zone] = (),
        lines: Sequence[Line] = (),
    ) -> None:
        self._zones, self._lines = tuple(zones), tuple(lines)
        self._manifest = manifest
        self._meter = meter
        self._colours = colour_table(manifest.palette)
        self._prepared: dict[Look, _Prepared] = {}
        self._effects: dict[str, Effect] = {}
        self._drawn: _Drawn | None = None

    def draw(
        self, capture: Capture, segmentation: Segmentation, look: Look
    ) -> NDArray[np.uint8]:
        """Return the picture of a frame.

        Parameters
        ----------
        capture : Capture
            The frame, left as it is.
        segmentation : Segmentation
            Of that frame.
        look : Look
            What is to be drawn.

        Returns
        -------
        ndarray
            ``(H, W, 3)`` uint8 RGB, or ``(H, W, 4)`` where the effect gives alpha.

        Raises
        ------
        InputError, UnknownPluginError
            The look names a class or an effect that is not there.
        """
        last = self._drawn
        if last is not None and last.shows(capture, segmentation, look):
            return last.picture
        prepared = self._prepare(look)
        scene = self._scene(capture, segmentation, prepared, look)
        picture = prepared.effect.draw(scene)
        if look.inside or look.outside:
            from edgeseg.runtime.drawing.zone_marks import confined  # few runs need it

            picture = confined(picture, scene.frame, look, self._zones)
        picture = self._decorated(picture, segmentation, look, prepared.shown)
        self._drawn = _Drawn(capture, segmentation, look, picture)
        return picture

    def draw_bands(
        self, capture: Capture, segmentation: Segmentation, look: Look
    ) -> Iterator[NDArray[np.uint8]]:
        """Yield what `draw` returns in pieces, from top to bottom.

        A large picture is not whole in memory where the effect can do without. See
        `draw` for the parameters.
        """
        prepared, last = self._prepare(look), self._drawn
        is_there = last is not None and last.shows(capture, segmentation, look)
        is_plain = not (
            look.contours
            or look.legend
            or look.statistics
            or look.inside
            or look.outside
            or self._marks(look)
        )
        if is_there or not (is_plain and prepared.effect.pointwise):
            yield self.draw(capture, segmentation, look)
            return
        scene = self._scene(capture, segmentation, prepared, look)
        for rows in row_bands(*scene.ids.shape):
            part = replace(scene, frame=scene.frame[rows], ids=scene.ids[rows])
            yield prepared.effect.draw(part)

    def _scene(
        self,
        capture: Capture,
        segmentation: Segmentation,
        prepared: _Prepared,
        look: Look,
    ) -> Scene:
        return Scene(
            capture.frame,
            segmentation.ids,
            prepared.shown,
            self._colours,
            look.alpha,
            look.edges,
        )

    def _prepare(self, look: Look) -> _Prepared:
        prepared = self._prepared.get(look)
        if prepared is None:
            shown = shown_ids(look, self._manifest)
            if look.effect not in self._effects:
                self._effects[look.effect] = open_effect(look.effect)
                _keep_newest(self._effects)
            prepared = _Prepared(self._effects[look.effect], shown)
            self._prepared[look] = prepared
            _keep_newest(self._prepared)
        return prepared

    def _decorated(
        self,
        picture: NDArray[np.uint8],
        segmentation: Segmentation,
        look: Look,
        shown: NDArray[np.bool_],
    ) -> NDArray[np.uint8]:
        """Add borders and text; a cut-out takes none, it is for use elsewhere."""
        if picture.shape[2] == 4:
            return picture
        if look.contours:
            picture = outline(picture, segmentation.ids, self._colours, shown=shown)
        if self._marks(look):
            from edgeseg.runtime.drawing.zone_marks import mark

            picture = mark(picture, self._zones, self._lines, segmentation.watched)
        if look.legend:
            names, colours = self._legend(segmentation, shown)
            picture = legend(picture, names, colours)
        if look.statistics and self._meter is not None:
            from edgeseg.runtime.drawing.statistics_line import (
                draw_statistics,
                read_temperature_c,
            )

            text = statistics_text(self._meter.read(), read_temperature_c())
            picture = draw_statistics(picture, text)
        return picture

    def _marks(self, look: Look) -> bool:
        return bool(self._zones or self._lines) and not look.hide_zones

    def _legend(
        self, segmentation: Segmentation, shown: NDArray[np.bool_]
    ) -> tuple[list[str], list[NDArray[np.uint8]]]:
        areas = segmentation.areas
        found = sorted((i for i in areas if shown[i]), key=lambda i: -areas[i])
        pixels = segmentation.ids.size
        names = [f"{self._manifest.label(i)} {areas[i] / pixels:.0%}" for i in found]
        return names, [self._colours[i] for i in found]


def statistics_text(
    readings: Readings, temperature_c: float | None = None
) -> list[str]:
    """Return the lines with a run's rate, latency, age, dropped frames and heat.

    Examples
    --------
    >>> from edgeseg.runtime.pipeline.meter import Readings, Spread
    >>> statistics_text(Readings(fps=24.96, latency_ms=Spread(31.2, 33.0), dropped=2))
    ['25.0 fps  latency 31/33 ms  dropped 2']
    """
    parts = [] if readings.fps is None else [f"{readings.fps:.1f} fps"]
    for name, spread in (("latency", readings.latency_ms), ("age", readings.age_ms)):
        if spread is not None:
            parts.append(f"{name} {spread.p50:.0f}/{spread.p90:.0f} ms")
    if readings.dropped:
        parts.append(f"dropped {readings.dropped}")
    if temperature_c is not None:
        parts.append(f"{temperature_c:.0f} C")
    return ["  ".join(parts)] if parts else []


def _keep_newest(prepared: dict[_Key, _Value]) -> None:
    while len(prepared) > _LOOKS:
        del prepared[next(iter(prepared))]
