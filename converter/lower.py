"""A Keras model to a float TFLite model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgeseg.converter._cause import cause
from edgeseg.converter._frameworks import need, third_party
from edgeseg.devices import ConversionError

if TYPE_CHECKING:
    from collections.abc import Callable


def lower(model: Any) -> bytes:
    """Return a Keras model of fixed shape as a float TFLite flatbuffer.

    The model itself is handed to TensorFlow's converter: going through a concrete
    function was measured to give NaN without an error on Keras 3 models.

    Parameters
    ----------
    model : keras.Model
        From `load_keras`.

    Raises
    ------
    ConversionError
        TensorFlow cannot convert it.
    """
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
