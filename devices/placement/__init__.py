"""Which processor runs each operator of a model, why, and what to change."""

from edgeseg.devices.placement.check import check_model
from edgeseg.devices.placement.result import Advice, Placed, Placement

__all__ = ["Advice", "Placed", "Placement", "check_model"]
