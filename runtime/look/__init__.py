"""How results are drawn, and the painter that draws them so."""

from edgeseg.runtime.look._look import Look, check_look, shown_ids
from edgeseg.runtime.look._painter import Painter, statistics_text

__all__ = ["Look", "Painter", "check_look", "shown_ids", "statistics_text"]
