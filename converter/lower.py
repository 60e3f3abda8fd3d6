"""A Keras model to a float TFLite model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.converter._cause import cause
from edgeseg.converter._frameworks import need, third_party
from edgeseg.converter.networks.folding import fold_for_inference
from edgeseg.converter.tensor_names import name_by_layer
from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable


def lower(model: Any, *, fold: bool = True) -> bytes:
    """Return a Keras model of fixed shape as a float TFLite flatbuffer.

    Batch norms are folded before, and tensors named after, so that the bits and names
    of the result depend on the model alone: see `fold_for_inference` and
    `name_by_layer`.

    The model itself is handed to TensorFlow's converter: going through a concrete
    function was measured to give NaN without an error on Keras 3 models.

    Parameters
    ----------
    model : keras.Model
        From `load_keras`.
    fold : bool
        False leaves both to TensorFlow, whose bits depend on the processor.

    Raises
    ------
    ConversionError
        TensorFlow cannot convert it.
    """
    if not fold:
        return _lowered(model)
    folded = fold_for_inference(model)
    operations = getattr(folded, "operations", ()) or getattr(folded, "layers", ())
    return name_by_layer(_lowered(folded), [each.name for each in operations])


def _lowered(model: Any) -> bytes:
    tf = need("tensorflow")
    convert: Callable[[], bytes] = tf.lite.TFLiteConverter.from_keras_model(
        model
    ).convert
    try:
        with third_party():
            return convert()
    except (ValueError, RuntimeError, TypeError, NotImplementedError) as error:
        raise ConversionError(
            f"TensorFlow cannot convert the model: {cause(error)}"
        ) from error
    except Exception as error:
        # ConverterError derives from Exception alone and lives in a private module
        if type(error).__name__ != "ConverterError":
            raise
        raise ConversionError(
            f"TensorFlow cannot convert the model: {cause(error)}"
        ) from error
