"""Dashboards for Grafana and Home Assistant, as files that these programs import."""

from edgeseg.runtime.dashboards.files import write_dashboards

__all__ = ["write_dashboards"]
