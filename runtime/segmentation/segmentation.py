"""The classes of one picture, and what can be counted in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from edgeseg.runtime.model.labels import background_ids, ids_of
from edgeseg.runtime.segmentation.areas import class_areas, class_centroids

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from edgeseg.devices.types import Untyped
    from edgeseg.runtime.segmentation.blobs import Blob
    from edgeseg.runtime.zones.events import Event, Watched


@dataclass(frozen=True)
class Segmentation:
    """The classes of one picture.

    Parameters
    ----------
    ids : ndarray
        ``(H, W)`` uint8 class ids, at the picture's own size.
    labels : tuple of str
        One name a class id that can occur; empty where unknown.
    timings_ms : dict of str to float
        Milliseconds of ``preprocess``, ``invoke`` and ``postprocess``.
    watched : Watched or None
        Things, zones, lines and events, in a run that watches for them; see `Watch`.
    """

    ids: NDArray[np.uint8]
    labels: tuple[str, ...]
    timings_ms: dict[str, float]
    watched: Watched | None = None

    @property
    def events(self) -> tuple[Event, ...]:
        """What happened in zones and on lines; none where nothing is watched."""
        return self.watched.events if self.watched is not None else ()

    @cached_property
    def areas(self) -> dict[int, int]:
        """Pixels of each class id that occurs, in order of id; counted once."""
        return class_areas(self.ids)

    @cached_property
    def centroids(self) -> dict[int, tuple[float, float]]:
        """Mean x and y in pixels of each class id that occurs; found once."""
        return class_centroids(self.ids, self.areas)

    def blobs(
        self, classes: Sequence[str] = (), *, min_area: float = 0.001
    ) -> list[Blob]:
        """Return the connected parts of classes, class after class, the largest first.

        Parameters
        ----------
        classes : sequence of str
            Names, or ids where there are no names; empty for all but background.
        min_area : float
            Smaller parts are left out: pixels, or below 1 a share of the picture.

        Raises
        ------
        InputError
            A class is unknown.

        Examples
        --------
        >>> import numpy as np
        >>> ids = np.zeros((10, 20), np.uint8)
        >>> ids[2:5, 3:9] = 1
        >>> Segmentation(ids, ("background", "dog"), {}).blobs(["dog"])
        [Blob(class_id=1, area=18, box=(3, 2, 6, 3), centroid=(5.5, 3.0))]
        """
        from edgeseg.runtime.segmentation.blobs import find_blobs  # few runs need it

        if classes:
            wanted = [i for name in classes for i in ids_of(name, self.labels)]
        else:
            behind = background_ids(self.labels)
            wanted = [i for i in self.areas if i not in behind]
        return find_blobs(self.ids, dict.fromkeys(wanted), min_area=min_area)

    def to_supervision(self) -> Untyped:
        """Return the classes as ``supervision.Detections``, one a class.

        See `edgeseg.runtime.segmentation.supervision`.

        Raises
        ------
        MissingDriverError
            The package supervision is not installed.
        """
        from edgeseg.runtime.segmentation.supervision import detections

        return detections(self.ids, self.labels)
