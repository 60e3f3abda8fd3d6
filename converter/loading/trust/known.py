"""Keras' and edgeseg's own parts of a network, by name: all else is somebody's code.

A network's description names classes and functions, and Keras imports what it names.
Here is what a description may name without being trusted. What is not listed is
refused, also what Keras adds one day; layers that run, unpickle or read what their
settings name (``Lambda``, ``TFSMLayer``, ``StringLookup``, ...) are left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edgeseg.converter.frameworks import need

if TYPE_CHECKING:
    from edgeseg.devices.types import Json

_COMPUTING_LAYERS = """
    Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
    AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D
    AdaptiveMaxPooling3D Add AdditiveAttention Attention Average AveragePooling1D
    AveragePooling2D AveragePooling3D AvgPool1D AvgPool2D AvgPool3D BatchNormalization
    Bidirectional CategoryEncoding CenterCrop Concatenate Conv1D Conv1DTranspose Conv2D
    Conv2DTranspose Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D
    Convolution1D Convolution1DTranspose Convolution2D Convolution2DTranspose
    Convolution3D Convolution3DTranspose Cropping1D Cropping2D Cropping3D Dense
    DepthwiseConv1D DepthwiseConv2D Discretization Dot ELU EinsumDense Embedding Flatten
    GRU GRUCell GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D
    GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D GlobalMaxPool2D
    GlobalMaxPool3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D
    GroupNormalization GroupQueryAttention Identity InputLayer LSTM LSTMCell
    LayerNormalization LeakyReLU Masking MaxPool1D MaxPool2D MaxPool3D MaxPooling1D
    MaxPooling2D MaxPooling3D Maximum MelSpectrogram Minimum MultiHeadAttention Multiply
    Normalization PReLU Permute Pipeline RMSNormalization RNN ReLU RepeatVector
    Rescaling Reshape Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D
    SeparableConv2D SeparableConvolution1D SeparableConvolution2D SimpleRNN
    SimpleRNNCell Softmax SpectralNormalization StackedRNNCells Subtract TimeDistributed
    UnitNormalization UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D
    ZeroPadding3D
"""
# Layers that hand on what they get unless the network is being trained
_TRAINING_LAYERS = """
    AlphaDropout AugMix AutoContrast ContrastLimitedAdaptiveHistogramEqualization CutMix
    Dropout Equalization GaussianDropout GaussianNoise MixUp RandAugment
    RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop
    RandomElasticTransform RandomErasing RandomFlip RandomGaussianBlur RandomGrayscale
    RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation
    RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom
    Solarization SpatialDropout1D SpatialDropout2D SpatialDropout3D
"""
INERT_LAYERS = frozenset(_TRAINING_LAYERS.split())
_INITIALIZERS = """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer
    LecunNormal LecunUniform Ones Orthogonal OrthogonalInitializer RandomNormal
    RandomUniform STFT STFTInitializer TruncatedNormal VarianceScaling Zeros
"""
_BY_MODULE = {
    "keras.layers": frozenset(_COMPUTING_LAYERS.split()) | INERT_LAYERS,
    "keras.initializers": frozenset(_INITIALIZERS.split()),
    "keras.regularizers": frozenset(["L1", "L1L2", "L2", "OrthogonalRegularizer"]),
    "keras.constraints": frozenset(["MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"]),
    "keras.dtype_policies": frozenset(
        ["DTypePolicy", "DTypePolicyMap", "FloatDTypePolicy", "QuantizedDTypePolicy"]
    ),
}
# Of the networks that come with Keras, where it defines them
_OF_APPLICATIONS = {"LayerScale": "keras.src.applications.convnext"}
_MODELS = {"Functional": "keras.src.models.functional", "Sequential": "keras"}
_ACTIVATION_NAMES = """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish
    hard_tanh leaky_relu linear log_sigmoid log_softmax mish relu relu6 selu sigmoid
    silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid sparsemax
    squareplus swish tanh tanh_shrink threshold
"""
_ACTIVATIONS = frozenset(_ACTIVATION_NAMES.split())
# What `mend` puts in place of Keras 2's hard_sigmoid
OLD_HARD_SIGMOID = "edgeseg_hard_sigmoid_of_keras_2"
_OPERATION_MODULES = ("core", "image", "linalg", "math", "nn", "numpy")
# Operations of keras.src.ops.core that take no function
_CORE = """
    Cast ConvertToTensor SaturateCast Scatter ScatterUpdate Shape Slice SliceUpdate
    StopGradient Unstack
"""
_CORE_OPERATIONS = frozenset(_CORE.split())
_OURS = "edgeseg>"


@dataclass(frozen=True)
class KnownName:
    """A class or function by the one name that Keras is given for it.

    Parameters
    ----------
    module, name : str
        Where Keras finds it.
    registered : str or None
        The name that a class of edgeseg is registered by.
    """

    module: str
    name: str
    registered: str | None = None


def known_class(entry: Json) -> KnownName | None:
    """Return the class that an entry of a description names, if it is known.

    Parameters
    ----------
    entry : dict
        With ``class_name``, and what it may have of ``module`` and
        ``registered_name``. All of them must name the same class.
    """
    name, module = entry["class_name"], entry.get("module")
    registered = entry.get("registered_name")
    texts = (module, registered)
    if not isinstance(name, str) or not all(
        one is None or isinstance(one, str) for one in texts
    ):
        return None
    if name.startswith(_OURS) or str(registered).startswith(_OURS):
        return _own_class(name, module, registered)
    if registered not in (None, name):
        return None
    if module is None or _is_keras(module):
        return _keras_class(name, module)
    return None


def known_function(entry: Json) -> str | None:
    """Return the activation that an entry of class ``function`` names, if it is known.

    Parameters
    ----------
    entry : dict
        Its ``config`` is the function's name.
    """
    name, module = entry.get("config"), entry.get("module")
    if not isinstance(name, str) or not is_activation(name):
        return None
    if entry.get("registered_name") not in (None, name, "function"):
        return None
    own = module is None or (isinstance(module, str) and _is_keras(module))
    return name if own or module == "builtins" else None


def is_keras_class(entry: Json) -> bool:
    """Return whether an entry names a class of Keras, known or not, by all its names.

    Parameters
    ----------
    entry : dict
        With ``class_name``.
    """
    name, module = entry.get("class_name"), entry.get("module")
    mine = entry.get("registered_name") in (None, name)
    return mine and (module is None or (isinstance(module, str) and _is_keras(module)))


def is_keras_layer(entry: Json) -> bool:
    """Return whether an entry names a layer of Keras, known or not, by all its names.

    Parameters
    ----------
    entry : dict
        With ``class_name``.
    """
    found = getattr(need("keras").layers, str(entry["class_name"]), None)
    return is_keras_class(entry) and isinstance(found, type)


def is_activation(name: str) -> bool:
    """Return whether a function goes by its name alone among Keras' activations.

    Parameters
    ----------
    name : str
        Such as ``"relu"``.
    """
    return name in _ACTIVATIONS


def _is_keras(module: str) -> bool:
    return module.partition(".")[0] in ("keras", "tf_keras")


def _own_class(
    name: str, module: str | None, registered: str | None
) -> KnownName | None:
    """Return a class of edgeseg, by its registered name alone or all three names."""
    found = need("keras").saving.get_registered_object(registered or name)
    if not isinstance(found, type) or not found.__module__.startswith("edgeseg."):
        return None
    own = f"{_OURS}{found.__name__}"
    if name not in (found.__name__, own) or registered not in (None, own):
        return None
    if module is not None and not module.startswith("edgeseg."):
        return None
    return KnownName(found.__module__, found.__name__, own)


def _keras_class(name: str, module: str | None) -> KnownName | None:
    if name in _MODELS:
        return KnownName(_MODELS[name], name)
    if module is not None and module.startswith(("keras.src.ops", "keras.ops")):
        return _operation(name)
    if module is not None and _OF_APPLICATIONS.get(name) == module:
        return KnownName(module, name)
    for place, names in _BY_MODULE.items():
        if name in names and _fits(module, place):
            return KnownName(place, name)
    return None


def _fits(module: str | None, place: str) -> bool:
    """Return whether a module may be one where a kind of classes lives.

    Old files name private modules, such as ``keras.src.layers.core.dense``; an
    initializer and a layer may have the same name.
    """
    if module is None or place == "keras.dtype_policies":
        return True
    kind = place.rpartition(".")[2]
    kinds = {one.rpartition(".")[2] for one in _BY_MODULE}
    said = kinds & set(module.split("."))
    return not said or kind in said


def _operation(name: str) -> KnownName | None:
    """Return an operation: a class that ``keras.ops`` makes nodes of a network with."""
    base = need("keras").Operation
    for one in _OPERATION_MODULES:
        module = f"keras.src.ops.{one}"
        found: Any = getattr(need(module), name, None)
        if not isinstance(found, type) or not issubclass(found, base):
            continue
        if (found.__module__, found.__name__) == (module, name):
            allowed = one != "core" or name in _CORE_OPERATIONS
            return KnownName(module, name) if allowed else None
    return None
