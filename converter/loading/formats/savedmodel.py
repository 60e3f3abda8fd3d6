"""SavedModel: a folder with a TensorFlow graph and its variables."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from edgeseg.converter.frameworks import need, third_party
from edgeseg.converter.loading.format import (
    UNREADABLE,
    Format,
    RawModel,
    cannot_load,
    refuse_options,
)
from edgeseg.converter.loading.savedmodel.cut import as_function, cut
from edgeseg.converter.loading.savedmodel.graph import (
    check_inside,
    read_graphs,
    serving_graph,
    signature_of,
)
from edgeseg.converter.loading.savedmodel.operators import (
    check_values,
    strange_operators,
)
from edgeseg.converter.loading.savedmodel.reach import saver_of
from edgeseg.converter.loading.savedmodel.variables import read_variables, stored_names
from edgeseg.devices import InputError, ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from edgeseg.converter.frameworks import (
        GraphDef,
        KerasClass,
        KerasLayer,
        KerasModel,
        KerasTensor,
    )
    from edgeseg.converter.loading.format import Loading
    from edgeseg.converter.loading.savedmodel.cut import ScoreGraph
    from edgeseg.converter.loading.savedmodel.graph import Signature
    from edgeseg.devices.types import Array

_SHOWN = 5


class SavedModel(Format):
    """The format of ``model.export("DIR")`` and of TensorFlow.

    TensorFlow's own loader runs parts of a file: initializers, and functions that
    restore variables. Here it is used for a trusted file alone. Of every other file
    the graph is read, and the part of it that computes the scores is rebuilt.
    """

    name = "savedmodel"

    def claims(self, path: Path) -> bool:
        """Return whether the folder holds a graph."""
        return path.is_dir() and (path / "saved_model.pb").is_file()

    def read(self, path: Path, loading: Loading) -> RawModel:
        """Return a model of one layer that runs the graph's signature."""
        refuse_options(path, loading)
        if not loading.trust:
            check_inside(path)
        graphs = read_graphs(path)
        strange = _strange(graphs)
        if strange and not loading.trust:
            raise _refused(path, strange)
        graph = serving_graph(path, graphs)
        signature = signature_of(path, graph)
        size = _size(path, signature, loading.size)
        try:
            with third_party():
                model = _model(path, graph, signature, size, strange, loading)
        except ModelError:
            raise
        except (*UNREADABLE, need("tensorflow").errors.OpError) as error:
            raise cannot_load(path, error) from error
        notes = [f"runs the signature '{signature.name}' of the SavedModel"]
        if strange:
            notes.append(f"runs operators of the model file: {_named(strange)}")
        return RawModel(model, notes=tuple(notes), size_fixed=True)


PLUGIN = SavedModel


def _strange(graphs: list[GraphDef]) -> list[str]:
    found = [strange_operators(one.graph_def, saver_of(one)) for one in graphs]
    return sorted({name for names in found for name in names})


def _named(strange: list[str]) -> str:
    more = f" and {len(strange) - _SHOWN} more" if len(strange) > _SHOWN else ""
    return ", ".join(strange[:_SHOWN]) + more


def _refused(path: Path, strange: list[str]) -> ModelError:
    return ModelError(
        f"the graph in {path} holds operators that are not part of a network, which "
        f"could reach files, Python or the network: {_named(strange)}; if you know who "
        "made it, --trust-model lets TensorFlow run whatever is in it"
    )


def _size(
    path: Path, signature: Signature, wanted: tuple[int, int] | None
) -> tuple[int, int]:
    own = signature.size
    height, width = own if wanted is None else wanted
    if not height or not width:
        raise ModelError(
            f"{path} takes pictures of any size: choose one with --size HxW"
        )
    if own[0] not in (None, height) or own[1] not in (None, width):
        raise InputError(
            f"the graph in {path} was saved for {own[0]}x{own[1]} alone and cannot be "
            f"drawn again for {height}x{width}: export it with that size"
        )
    return height, width


def _model(
    path: Path,
    graph: GraphDef,
    signature: Signature,
    size: tuple[int, int],
    strange: list[str],
    loading: Loading,
) -> KerasModel:
    """Return the model as edgeseg rebuilds it, or as TensorFlow loads a trusted one."""
    if not strange:
        try:
            return _rebuilt(path, graph, signature, size)
        except ModelError:
            if not loading.trust:
                raise
    return _around(_trusted_layer()(str(path), signature, size), size)


def _rebuilt(
    path: Path, graph: GraphDef, signature: Signature, size: tuple[int, int]
) -> KerasModel:
    """Return a model of the part of the graph that computes the scores."""
    check_values(graph.graph_def)
    part = cut(graph.graph_def, signature)
    values = read_variables(path, stored_names(graph), part.variables)
    return _around(_cut_layer()(part, values, size), size)


def _around(layer: KerasLayer, size: tuple[int, int]) -> KerasModel:
    keras = need("keras")
    image = keras.Input(batch_shape=(1, *size, 3), name="image")
    return keras.Model(image, layer(image), name="segmenter")


@cache
def _cut_layer() -> KerasClass:
    keras, tf = need("keras"), need("tensorflow")
    base: KerasClass = keras.layers.Layer

    class CutGraph(base):  # type: ignore[misc]
        """The part of a SavedModel that computes scores, and its weights."""

        def __init__(
            self, part: ScoreGraph, values: dict[str, Array], size: tuple[int, int]
        ) -> None:
            super().__init__(name="saved_graph")
            weights = {
                name: self.add_weight(
                    shape=value.shape,
                    dtype=value.dtype.name,
                    initializer=lambda *_, value=value, **__: tf.constant(value),
                    name=name.replace("/", "_"),
                ).value
                for name, value in values.items()
            }
            self._function = as_function(part, size, weights)
            self._shape = tuple(self._function(tf.zeros((1, *size, 3))).shape)

        def call(self, inputs: KerasTensor) -> KerasTensor:
            scores = tf.identity(self._function(inputs))
            scores.set_shape(self._shape)
            return scores

        def compute_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
            return self._shape

    return CutGraph


@cache
def _trusted_layer() -> KerasClass:
    keras, tf = need("keras"), need("tensorflow")
    base: KerasClass = keras.layers.TFSMLayer

    class TrustedGraph(base):  # type: ignore[misc]
        """A signature of a SavedModel as TensorFlow loads it."""

        def __init__(
            self, path: str, signature: Signature, size: tuple[int, int]
        ) -> None:
            super().__init__(path, call_endpoint=signature.name, name="saved_graph")
            self._function = self._reloaded_obj.signatures[signature.name]
            self._argument = signature.argument
            self._shape = tuple(self._scores(tf.zeros((1, *size, 3))).shape)

        def _scores(self, image: KerasTensor) -> KerasTensor:
            return next(iter(self._function(**{self._argument: image}).values()))

        def call(self, inputs: KerasTensor) -> KerasTensor:
            scores = tf.identity(self._scores(inputs))
            scores.set_shape(self._shape)
            return scores

        def compute_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
            return self._shape

    return TrustedGraph
