"""A conversion's figures as lines for a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgeseg.converter import Conversion
    from edgeseg.converter.conversion.parity import Parity
    from edgeseg.devices.types import Json


def conversion_text(result: Conversion) -> str:
    """Return a conversion's figures as lines for a terminal."""
    details = result.details
    compared_with = details["compared_with"]
    operators = ", ".join(f"{n} {c}" for n, c in result.operators.items())
    lines = [
        details["preprocessing"],
        *_original_lines(details),
        f"float TFLite against Keras: {_parity(result.float_parity, compared_with)}",
        _result_line(result),
        *_warning_lines(details),
        *_accuracy_lines(details),
        f"input {result.input_dtype}, output {result.output_dtype}, activations: "
        + ", ".join(f"{c} {d}" for d, c in result.activations.items()),
        *_mediapipe_lines(details),
        *_layer_lines(details),
        f"operators: {operators}",
        f"{result.seconds:.0f} s, peak memory {result.peak_bytes / 1e9:.1f} GB",
        f"{result.path}  {result.bytes_out:,} bytes{_saved(result)}  sha256 "
        f"{result.sha256}",
    ]
    return "\n".join(lines)


def _original_lines(details: Json) -> list[str]:
    """Return how the network answers beside the .tflite file that it was read from."""
    parity = details.get("original_parity")
    if parity is None:
        return []
    return [
        f"network against {Path(details['request']['model']).name} itself: "
        f"{parity['agreement']:.3%} of labels agree ({parity['images']} "
        f"{details['compared_with']})"
    ]


def _parity(parity: Parity, compared_with: str) -> str:
    return (
        f"{parity.agreement:.3%} of labels agree, scores differ by at most "
        f"{parity.largest_difference:.2g} of {parity.score_range:.3g} "
        f"({parity.images} {compared_with})"
    )


def _result_line(result: Conversion) -> str:
    details, parity = result.details, result.int8_parity
    if onnx := details.get("onnx_parity"):
        parity_text = _parity(parity, details["compared_with"])
        return f"ONNX against {onnx['against']}: {parity_text}"
    recipe = details["request"]["recipe"]
    return f"{recipe} against float: {parity.agreement:.2%} of labels agree"


def _warning_lines(details: Json) -> list[str]:
    low = details.get("low_agreement")
    return [] if low is None else [f"warning: {low['text']}"]


def _mediapipe_lines(details: Json) -> list[str]:
    """Return why MediaPipe refuses a file whose type it would take."""
    obstacle, io = details.get("mediapipe"), details["request"]["io"]
    if obstacle is None or io not in ("uint8", "float32"):
        return []
    return [f"MediaPipe refuses this file: {obstacle}"]


def _layer_lines(details: Json) -> list[str]:
    """Return which operators of an .onnx file have int8 steps in front of them."""
    layers = details.get("int8_layers")
    if layers is None:
        return []
    texts = [
        f"{name}: {', '.join(f'{count} {kind}' for kind, count in kinds.items())}"
        for name, kinds in layers.items()
        if kinds
    ]
    return [f"operators with inputs in {'; in '.join(texts)}"]


def _saved(result: Conversion) -> str:
    if result.details["request"]["format"] == "onnx":
        return ""
    times = result.bytes_float / result.bytes_out
    return f" ({times:.1f} times smaller than float)"


def _accuracy_lines(details: Json) -> list[str]:
    accuracy, budget = details["accuracy"], details["budget"]
    if accuracy is None:
        return []
    drop = accuracy["drop"]
    lines = [
        f"mIoU on {accuracy['images']} pictures of {accuracy['dataset']}/"
        f"{accuracy['split']}, {len(accuracy['classes'])} classes: float "
        f"{100 * accuracy['reference']['miou']:.2f} %, result "
        f"{100 * accuracy['result']['miou']:.2f} %; drop "
        f"{100 * drop['difference']:.2f} points, 95 % interval "
        f"{100 * drop['low']:.2f}..{100 * drop['high']:.2f}"
    ]
    if original := details.get("original_accuracy"):
        drop = original["drop"]
        lines.append(
            f"{Path(details['request']['model']).name} itself: "
            f"{100 * original['reference']['miou']:.2f} %; the result loses "
            f"{100 * drop['difference']:.2f} points of it, 95 % interval "
            f"{100 * drop['low']:.2f}..{100 * drop['high']:.2f}"
        )
    if budget is not None:
        lines.append(f"accuracy budget: {budget['reason']}")
    return lines
