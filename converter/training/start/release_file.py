"""Weights of the public release as a start: head swapped, decoder added."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from edgeseg.converter.loading.release import load_release
from edgeseg.converter.loading.release_weights import (
    assign,
    kernel_shapes,
    read_weights,
)
from edgeseg.converter.networks.backbone import backbone_classes
from edgeseg.converter.networks.deeplab import LOGITS, SegmentationHead, build_deeplab
from edgeseg.converter.training.settings import Network
from edgeseg.converter.training.start.batch_graph import Start
from edgeseg.converter.training.start.new_decoder import DECODER_LAYERS, decoder_weights
from edgeseg.converter.training.start.new_head import start_labels, swap_columns
from edgeseg.devices import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np

    from edgeseg.converter.frameworks import KerasModel


def from_release(
    path: Path,
    classes: Sequence[str],
    network: Network,
    rng: np.random.Generator,
    labels: str | None,
) -> Start:
    """Return the network of a release-layout file, a decoder added where asked for.

    Parameters
    ----------
    path : Path
        The file.
    classes : sequence of str
        Names of the classes to learn.
    network : Network
        Size, output stride, decoder.
    rng : numpy.random.Generator
        For new channels and classes.
    labels : str or None
        Names of the file's classes.

    Raises
    ------
    ModelError, InputError
        The file cannot be used, or not so.
    """
    release = load_release(path, size=network.size, output_stride=network.output_stride)
    old = release.model
    weights = read_weights(path)
    has_decoder = release.arch.startswith("deeplabv3plus")
    if has_decoder and not network.decoder:
        raise InputError(
            f"{path} holds a decoder: leave --no-decoder out, or start from weights "
            "of a DeepLabv3"
        )
    last = weights[LOGITS]
    names = start_labels(path, labels, last["kernel"].shape[-1])
    columns = swap_columns(last["kernel"], last["bias"], names, classes, rng)
    kinds = backbone_classes().values()
    kind = next(kind for kind in kinds if kind.marker in weights)
    kernels = kernel_shapes(weights)
    pyramid = kind.atrous_pyramid or "aspp1_depthwise" in weights
    head = SegmentationHead.from_kernels(kernels, decoder=has_decoder, pyramid=pyramid)
    head = replace(head, classes=len(classes))
    adds = network.decoder and not has_decoder
    if adds:
        head = replace(
            head,
            decoder=True,
            low_width=network.low_width,
            decoder_width=network.decoder_width,
        )
    model = build_deeplab(
        kind.from_kernels(kernels),
        head,
        size=tuple(old.input.shape[1:3]),
        output_stride=network.output_stride,
    )
    weights[LOGITS] = {"kernel": columns.kernel, "bias": columns.bias}
    if adds:
        weights |= decoder_weights(model, columns, network.low_width, rng)
    assign(model, weights, path)
    return Start(
        model,
        _new_layers(model, columns.copied, classes, adds),
        settled=True,
        notes=(*release.notes, *_notes(columns.copied, classes, adds)),
        resize=release.resize,
    )


def _new_layers(
    model: KerasModel, copied: Sequence[str], classes: Sequence[str], adds: bool
) -> frozenset[str]:
    prefixes = DECODER_LAYERS if adds else ()
    new = {layer.name for layer in model.layers if layer.name.startswith(prefixes)}
    if adds or len(copied) < len(classes):
        new.add(LOGITS)
    return frozenset(new)


def _notes(
    copied: Sequence[str], classes: Sequence[str], adds: bool
) -> tuple[str, ...]:
    new = [name for name in classes if name not in copied]
    notes = [f"head copied for {', '.join(copied) or 'no class'}"]
    if new:
        notes.append(f"new classes: {', '.join(new)}")
    if adds:
        notes.append("decoder added; it changes nothing at the first step")
    return tuple(notes)
