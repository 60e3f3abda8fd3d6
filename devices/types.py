"""Types that say why a value is not checked any further."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[Any]  # of any dtype: what a tensor holds
    Json: TypeAlias = dict[str, Any]  # an object of JSON, or what becomes one
    JsonValue: TypeAlias = Any  # any value of JSON, checked by whoever reads it
    Module: TypeAlias = Any  # a module without types, imported when it is needed
    Untyped: TypeAlias = Any  # an object of such a module
