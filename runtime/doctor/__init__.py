"""Why a model does not run, or runs slowly, on this board: findings and fixes."""

from edgeseg.runtime.doctor.examination import examine
from edgeseg.runtime.doctor.finding import Finding, Fix, worst
from edgeseg.runtime.doctor.machine import Machine

__all__ = ["Finding", "Fix", "Machine", "examine", "worst"]
