"""Why a model does not run, or runs slowly, on this board: findings and fixes."""

from edgeseg.devices.doctor.examination import examine
from edgeseg.devices.doctor.finding import Finding, Fix, worst
from edgeseg.devices.doctor.machine import Machine

__all__ = ["Finding", "Fix", "Machine", "examine", "worst"]
