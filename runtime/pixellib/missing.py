"""Classes of PixelLib that have no counterpart: each says so when it is made."""

from __future__ import annotations

from edgeseg.devices import InputError


class instance_segmentation:  # noqa: D101
    def __init__(self, *arguments: object, **more: object) -> None:
        raise InputError(
            f"{type(self).__name__} has no counterpart in edgeseg: networks here say "
            "which class a pixel has, not which object; semantic_segmentation finds "
            "the areas of each class"
        )


class custom_segmentation(instance_segmentation):  # noqa: D101
    pass


class instance_custom_training:  # noqa: D101
    def __init__(self, *arguments: object, **more: object) -> None:
        raise InputError(
            "instance_custom_training has no counterpart in edgeseg: `edgeseg "
            "finetune` trains a network on your own classes, without telling objects "
            "apart"
        )
