"""How results are drawn, and the painter that draws them so."""

from edgeseg.runtime.drawing.look import Look, check_look, shown_ids
from edgeseg.runtime.drawing.painter import Painter, statistics_text

__all__ = ["Look", "Painter", "check_look", "shown_ids", "statistics_text"]
