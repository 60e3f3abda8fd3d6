"""Backbones: one file is one network that makes feature maps of a picture.

Their contract is in `edgeseg.converter.networks.backbone`.
"""
