"""Every error that edgeseg raises on purpose.

::

    EdgesegError
    ├── InputError (ValueError)         an image, folder, list or option is not usable
    │   ├── RangesError                 saved ranges belong to another model or graph
    │   └── RejectedError               a name or password is wrong: waiting is no use
    ├── OutputError (OSError)           a result cannot be written
    ├── ModelError (ValueError)         a model file is not usable here
    ├── ManifestError (ValueError)      a manifest is malformed or contradicts its model
    ├── ConversionError (RuntimeError)  a conversion failed or did not keep its promise
    ├── UnknownPluginError (ValueError) no device, source, ... of that name
    └── MissingDriverError (ImportError) a package or library is not installed

The message of each says what was expected, what came, and what to do, in one line.
"""


class EdgesegError(Exception):
    """Base of all errors that a user can cause or mend."""


class InputError(EdgesegError, ValueError):
    """An image, video, folder, label list or option cannot be used."""


class RangesError(InputError):
    """Saved calibration ranges do not fit the model at hand."""


class RejectedError(InputError):
    """A name, password or format is wrong, so that another try cannot do better."""


class OutputError(EdgesegError, OSError):
    """A result cannot be written."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        # for plugins that catch OSError and give its reason
        self.strerror = message


class ModelError(EdgesegError, ValueError):
    """A model file is missing, damaged, or no segmentation model."""


class ManifestError(EdgesegError, ValueError):
    """A manifest is malformed, or contradicts the tensors of its model."""


class ConversionError(EdgesegError, RuntimeError):
    """A conversion failed, or its result is not what was asked for."""


class UnknownPluginError(EdgesegError, ValueError):
    """No plugin of this name exists; the message lists the known ones."""


class MissingDriverError(EdgesegError, ImportError):
    """A package or library is not installed; the message says how to get it."""
