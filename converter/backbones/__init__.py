"""Backbones, one file each: picture in, feature maps out."""

from edgeseg.converter.backbones._base import Backbone, Features
from edgeseg.devices import PluginFolder

__all__ = ["BACKBONES", "Backbone", "Features"]

BACKBONES = PluginFolder("backbone", "edgeseg.converter.backbones")
