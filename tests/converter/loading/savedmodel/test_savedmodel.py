"""A SavedModel is read, not run: what is no part of a network is refused by name."""

from __future__ import annotations

import os
import re
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
import networks
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.framework import op_def_registry

from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.loading.savedmodel.operators import (
    NETWORK_OPERATORS,
    SAVER_OPERATORS,
)
from edgeseg.converter.loading.savedmodel.reach import node_name
from edgeseg.devices import ModelError
from edgeseg.devices.litert import open_interpreter

SHAPE = (1, 16, 16, 3)
TAGS = ["serve"]
raw, v1 = tf.raw_ops, tf.compat.v1

# How each operator, given the path of a file, reaches out of the graph
OUTWARD = {
    "Save": lambda path: raw.Save(filename=path, tensor_names=["a"], data=[["key"]]),
    "SaveV2": lambda path: raw.SaveV2(
        prefix=path, tensor_names=["a"], tensors=[["key"]], shape_and_slices=[""]
    ),
    "SaveSlices": lambda path: raw.SaveSlices(
        filename=path, tensor_names=["a"], shapes_and_slices=[""], data=[["key"]]
    ),
    "RestoreV2": lambda path: raw.RestoreV2(
        prefix=path, tensor_names=["a"], shape_and_slices=[""], dtypes=[tf.float32]
    ),
    "Restore": lambda path: raw.Restore(
        file_pattern=path, tensor_name="a", dt=tf.float32
    ),
    "MergeV2Checkpoints": lambda path: raw.MergeV2Checkpoints(
        checkpoint_prefixes=[path], destination_prefix=f"{path}.moved"
    ),
    "WriteFile": lambda path: raw.WriteFile(filename=path, contents="theirs"),
    "ReadFile": lambda path: raw.ReadFile(filename=path),
    "MatchingFiles": lambda path: raw.MatchingFiles(pattern=path),
    "ImmutableConst": lambda path: raw.ImmutableConst(
        dtype=tf.int8, shape=[1], memory_region_name=path
    ),
    "GenerateVocabRemapping": lambda path: raw.GenerateVocabRemapping(
        new_vocab_file=path, old_vocab_file=path, new_vocab_offset=0, num_new_vocab=1
    ),
    "HashTableV2": lambda path: raw.HashTableV2(
        key_dtype=tf.string, value_dtype=tf.int64
    ),
    "PrintV2": lambda path: raw.PrintV2(input="x", output_stream=f"file://{path}"),
    "DebugIdentityV2": lambda path: raw.DebugIdentityV2(
        input=1.0, debug_urls=[f"file://{path}.folder"]
    ),
    "TFRecordDataset": lambda path: raw.TFRecordDataset(
        filenames=path, compression_type="", buffer_size=0
    ),
    "EagerPyFunc": lambda path: tf.py_function(Path(path).unlink, [], Tout=[]),
    "SummaryWriter": lambda path: raw.SummaryWriter(),
    "FixedLengthRecordReaderV2": lambda path: raw.FixedLengthRecordReaderV2(
        record_bytes=1
    ),
    "FIFOQueueV2": lambda path: raw.FIFOQueueV2(component_types=[tf.float32]),
}
# Names that no operator of a network may have, whatever TensorFlow adds
REACHING = (
    ".*PyFunc.*|.*Reader.*|.*Dataset.*|.*Iterator.*|.*Summary.*|.*Rpc.*|Debug.*|"
    "Collective.*|Print.*|.*File.*|Load.*|.*Import.*|Xla.*|.*HostCompute|.*Save.*|"
    "_?(Host)?(Send|Recv)|Copy(Host)?|.*Restore.*|.*Checkpoint.*|ImmutableConst|"
    ".*Vocab.*|.*Table.*|.*Remote.*|.*Queue.*|.*Stage.*|Decode.*|Encode.*|.*Sql.*|"
    ".*TPU.*|.*Plugin.*|.*Library.*|.*Host.*|.*Device.*|.*Sharded.*|_.*"
)


def nothing(path):
    return tf.constant(0.0)


class Started(tf.saved_model.experimental.TrackableResource):
    """A resource; TensorFlow's loader makes it and initializes it."""

    def __init__(self, path, create, initialize):
        super().__init__()
        self._acts = [lambda: create(path), lambda: initialize(path)]

    def _create_resource(self):
        self._acts[0]()
        return raw.VarHandleOp(dtype=tf.float32, shape=[], shared_name="resource")

    def _initialize(self):
        self._acts[1]()


class Net(tf.Module):
    """A network of one convolution, with what strangers put into or beside it."""

    def __init__(self, path="", **acts):
        super().__init__()
        self.w = tf.Variable(tf.random.stateless_normal([3, 3, 3, 4], [1, 2]))
        self.resource = Started(
            path, acts.get("create", nothing), acts.get("initialize", nothing)
        )
        self._inside = lambda: acts.get("inside", nothing)(path)
        self._beside = lambda: acts.get("beside", nothing)(path)

    @tf.function(input_signature=[tf.TensorSpec(SHAPE, tf.float32, name="image")])
    def serve(self, image):
        x = tf.nn.conv2d(image, self.w, 1, "SAME")
        switch = tf.reduce_sum(x) > 1e9
        y = tf.cond(switch, lambda: self._in_a_branch(x), lambda: x)
        return {"scores": y}

    @tf.function(input_signature=[])
    def beside(self):
        self._beside()

    def _in_a_branch(self, x):
        made = self._inside()
        with tf.control_dependencies([] if made is None else tf.nest.flatten(made)):
            return tf.identity(x)


def saved(path, net):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tf.saved_model.save(net, str(path), signatures={"serving_default": net.serve})
    return path


def edit(path, change):
    """Change the graph's protobuf, as anybody can."""
    file = path / "saved_model.pb"
    message = saved_model_pb2.SavedModel()
    message.ParseFromString(file.read_bytes())
    change(message)
    file.write_bytes(message.SerializeToString())
    return path


def add_node(graph, op, name="added"):
    node = graph.node.add()
    node.op, node.name = op, name
    return node


@pytest.fixture
def victim(tmp_path):
    """A file that stays as it is, alone in its folder."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "victim.txt").write_text("mine")
    yield folder / "victim.txt"
    assert [one.name for one in folder.iterdir()] == ["victim.txt"]
    assert (folder / "victim.txt").read_text() == "mine"


@pytest.fixture
def path(tmp_path):
    return saved(tmp_path / "net", Net())


def refused(path, name):
    with pytest.raises(ModelError, match=rf"\b{name}\b.*--trust-model") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def expected(path, tensor):
    """Return what TensorFlow itself makes of a file."""
    loaded = tf.saved_model.load(str(path))
    function = loaded.signatures["serving_default"]
    (name,) = function.structured_input_signature[1]
    (scores,) = function(**{name: tf.constant(tensor)}).values()
    return scores.numpy()


@pytest.mark.parametrize(
    ("name", "place"),
    [
        *((name, "initialize") for name in OUTWARD),
        *(
            (name, place)
            for name in ("SaveV2", "MergeV2Checkpoints", "PrintV2", "EagerPyFunc")
            for place in ("create", "inside", "beside")
        ),
    ],
)
def test_what_reaches_out_is_refused_wherever_it_is(name, place, victim, tmp_path):
    net = Net(str(victim), **{place: OUTWARD[name]})
    refused(saved(tmp_path / "net", net), name)


@pytest.mark.parametrize("name", ["SaveV2", "WriteFile", "MergeV2Checkpoints"])
@pytest.mark.parametrize("key", ["saved_model_main_op", "legacy_init_op", "signature"])
def test_what_a_graph_of_tensorflow_1_starts_with_is_refused(
    name, key, victim, tmp_path
):
    with tf.Graph().as_default(), v1.Session() as session:
        image = v1.placeholder(tf.float32, SHAPE)
        tensors = {"image": image}, {"scores": image * 2}
        OUTWARD[name](str(victim))
        act = v1.get_default_graph().get_operations()[-1]
        signature = v1.saved_model.predict_signature_def(*tensors)
        builder = v1.saved_model.Builder(str(tmp_path / "net"))
        builder.add_meta_graph_and_variables(
            session,
            TAGS,
            {"serving_default": signature},
            main_op=act if key == "saved_model_main_op" else None,
        )
        builder.save()

    def name_it(message):
        graph = message.meta_graphs[0]
        if key == "legacy_init_op":
            graph.collection_def[key].node_list.value.append(act.name)
        if key == "signature":
            info = graph.signature_def["__saved_model_init_op"].outputs
            info["__saved_model_init_op"].name = act.name

    refused(edit(tmp_path / "net", name_it), name)


@pytest.mark.parametrize("part", ["node", "function", "graph"])
def test_what_nothing_calls_is_refused_too(part, path):
    def change(message):
        graph = message.meta_graphs[0].graph_def
        if part == "node":
            add_node(graph, "WriteFile")
        elif part == "function":
            function = graph.library.function.add()
            function.signature.name = "stray"
            node = function.node_def.add()
            node.op, node.name = "WriteFile", "w"
        else:
            add_node(message.meta_graphs.add().graph_def, "WriteFile")

    refused(edit(path, change), "WriteFile")


def test_an_operator_of_tomorrow_is_refused_with_its_function(path):
    def change(message):
        functions = message.meta_graphs[0].graph_def.library.function
        serve = next(f for f in functions if "serve" in f.signature.name)
        node = serve.node_def.add()
        node.op, node.name = "Novel", "n"

    edit(path, change)
    with pytest.raises(ModelError, match=r"Novel in function __inference_\S*serve"):
        load_model(path)


def test_a_saver_that_is_no_saver_is_never_run(victim, tmp_path):
    """What is called a saver may hold the operators of one, and is left alone."""
    path = saved(tmp_path / "net", Net(str(victim), beside=OUTWARD["SaveV2"]))

    def change(message):
        graph = message.meta_graphs[0]
        names = [f.signature.name for f in graph.graph_def.library.function]
        node = add_node(graph.graph_def, "StatefulPartitionedCall", "act")
        node.attr["f"].func.name = next(n for n in names if "beside" in n)
        for key in ("Tin", "Tout"):
            node.attr[key].list.SetInParent()
        node.input.append(f"^{node_name(graph.saver_def.save_tensor_name)}")
        graph.saver_def.save_tensor_name = "act:0"

    tensor = np.ones(SHAPE, np.float32)
    wanted = expected(path, tensor)
    got = load_model(edit(path, change)).model.predict(tensor, verbose=0)
    np.testing.assert_array_equal(got, wanted)


def test_a_saver_that_the_network_calls_is_no_saver(path):
    def change(message):
        graph = message.meta_graphs[0]
        names = {node.name: node for node in graph.graph_def.node}
        scores = graph.signature_def["serving_default"].outputs["scores"].name
        call = names[scores.partition(":")[0]]
        call.input.append(f"^{graph.saver_def.restore_op_name}")

    refused(edit(path, change), "RestoreV2")


def test_initializers_are_left_alone(tmp_path):
    """They cannot do harm with what is allowed, and are not run all the same."""
    counter = tf.Variable(0.0)

    def count(path):
        return counter.assign_add(1.0)

    net = Net(initialize=count)
    net.counter = counter
    assert load_model(saved(tmp_path / "net", net)).model.output.shape == (
        *SHAPE[:3],
        4,
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda n: setattr(n.attr["f"].func, "name", "gone"),
            "calls the function gone",
        ),
        (lambda n: n.input.__setitem__(0, "lost:0"), "cannot load"),
    ],
)
def test_a_graph_that_names_what_is_not_there(change, words, path):
    def on_call(message):
        graph = message.meta_graphs[0]
        output = graph.signature_def["serving_default"].outputs["scores"].name
        for node in graph.graph_def.node:
            if node.name == output.partition(":")[0]:
                change(node)

    with pytest.raises(ModelError, match=words) as caught:
        load_model(edit(path, on_call))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "sizes", "words"),
    [
        ("DT_RESOURCE", [1], "no number and no text"),
        ("DT_VARIANT", [1], "no number and no text"),
        ("DT_FLOAT", [2**20, 2**20], "larger than a file can be"),
        ("DT_FLOAT", [2**62, 4], "larger than a file can be"),
        ("DT_FLOAT", [-5], "a shape that is none"),
    ],
)
def test_constants_that_are_none(kind, sizes, words, path):
    from tensorflow.core.framework import types_pb2

    def change(message):
        node = add_node(message.meta_graphs[0].graph_def, "Const")
        tensor = node.attr["value"].tensor
        tensor.dtype = types_pb2.DataType.Value(kind)
        for size in sizes:
            tensor.tensor_shape.dim.add().size = size

    with pytest.raises(ModelError, match=f"added.*{words}"):
        load_model(edit(path, change))


def test_variables_are_those_of_the_folder(path, tmp_path):
    shutil.move(path / "variables", tmp_path / "elsewhere")
    (path / "variables").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match=r"link out of the SavedModel.*cp -rL"):
        load_model(path)
    assert load_model(path, Loading(trust=True)).model is not None


def test_a_link_inside_the_folder_is_no_harm(path):
    (path / "variables").rename(path / "held")
    (path / "variables").symlink_to("held")
    assert load_model(path).model is not None


def test_a_linked_file_of_variables_is_refused(path, tmp_path):
    data = next((path / "variables").glob("*.data-*"))
    shutil.move(data, tmp_path / "data")
    data.symlink_to(tmp_path / "data")
    with pytest.raises(ModelError, match="link out of the SavedModel"):
        load_model(path)


def test_a_pipe_among_the_variables_does_not_block(path):
    data = next((path / "variables").glob("*.data-*"))
    data.unlink()
    os.mkfifo(data)
    with pytest.raises(ModelError, match="neither a file nor a folder"):
        load_model(path)


def test_variables_that_do_not_fit(path, tmp_path):
    index = path / "variables" / "variables.index"
    whole = index.read_bytes()
    for content in (b"", whole[:-20], whole[:40]):
        index.write_bytes(content)
        with pytest.raises(ModelError, match="missing or damaged"):
            load_model(path)
    index.write_bytes(whole)
    data = next(index.parent.glob("*.data-*"))
    data.write_bytes(data.read_bytes()[:10])
    with pytest.raises(ModelError, match="missing or damaged"):
        load_model(path)
    shutil.rmtree(path / "variables")
    with pytest.raises(ModelError, match="missing or damaged"):
        load_model(path)


@pytest.mark.parametrize("key", ["shape", "dtype"])
def test_a_variable_of_another_kind_than_the_file_s(key, path):
    def change(message):
        for node in message.meta_graphs[0].graph_def.node:
            if node.op == "VarHandleOp" and node.attr["shape"].shape.dim:
                node.attr["shape"].shape.dim[0].size += key == "shape"
                if key == "dtype":
                    node.attr["dtype"].type = tf.int32.as_datatype_enum

    with pytest.raises(ModelError, match=r"the variable .* (in the graph|stored as)"):
        load_model(edit(path, change))


def test_a_variable_that_is_not_restored(path):
    def change(message):
        for function in message.meta_graphs[0].graph_def.library.function:
            for node in function.node_def:
                if node.op == "AssignVariableOp":
                    node.op = "NoOp"

    edit(path, change)
    with pytest.raises(ModelError, match="does not restore the variable"):
        load_model(path)


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_graph_is_one_line(part, path):
    file = path / "saved_model.pb"
    whole = file.read_bytes()
    file.write_bytes(whole[: int(part * len(whole))])
    with pytest.raises(ModelError, match=r"damaged|no graph|no signature"):
        load_model(path)


def test_a_file_larger_than_a_graph_can_be(path):
    with (path / "saved_model.pb").open("r+b") as file:
        file.truncate(2**31)
    with pytest.raises(ModelError, match="larger than the 2 GiB"):
        load_model(path)


def test_operators_of_networks_exist_and_stay_inside():
    for name in NETWORK_OPERATORS | SAVER_OPERATORS:
        assert op_def_registry.get(name) is not None, name
    assert not [name for name in NETWORK_OPERATORS if re.fullmatch(REACHING, name)]


def many_layers(keras):
    """Return a network of many kinds of layers."""
    layers = keras.layers
    image = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(image)
    x = layers.Conv2D(8, 3, dilation_rate=2, padding="same", activation="gelu")(x)
    x = layers.DepthwiseConv2D(3, padding="same")(layers.ZeroPadding2D()(x))
    x = layers.SeparableConv2D(8, 3, activation="swish")(x)
    x = layers.BatchNormalization()(layers.GroupNormalization(4)(x))
    x = layers.PReLU(shared_axes=[1, 2])(layers.LayerNormalization()(x))
    x = layers.ELU()(layers.LeakyReLU()(layers.SpatialDropout2D(0.1)(x)))
    pooled = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = x * layers.Dense(8, activation="hard_sigmoid")(pooled)
    y = layers.UpSampling2D(interpolation="bilinear")(layers.AveragePooling2D(2)(x))
    x = layers.Average()([x, layers.Resizing(32, 32)(y)])
    tokens = layers.Reshape((64, 8))(layers.MaxPooling2D(4)(x))
    tokens = layers.MultiHeadAttention(2, 4)(tokens, tokens)
    y = layers.UpSampling2D(4)(layers.Reshape((8, 8, 8))(tokens))
    x = layers.Concatenate()([x, layers.Permute((2, 1, 3))(y)])
    x = layers.Conv2DTranspose(6, 3, strides=2, padding="same")(x)
    x = layers.Conv2D(4, 1, activation="softmax")(layers.Cropping2D(2)(x))
    return networks.settle(keras.Model(image, x))


def old_keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("tf_keras", reason="writes Keras 2 files")


def written(kind, path):
    """Write a network as one of the ways to make a SavedModel does."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "export":
            many_layers(keras).export(str(path), verbose=False)
        elif kind == "save":  # every variable twice
            tf.saved_model.save(many_layers(keras), str(path))
        elif kind == "keras 2":  # with functions for training, and an optimizer
            model = networks.unet(old_keras(), (32, 32))
            model.compile("adam", "mse")
            tf.saved_model.save(model, str(path))
        else:
            write_old(path, resource=kind == "tensorflow 1, resource")
    return path


def write_old(path, *, resource):
    with tf.Graph().as_default(), v1.Session() as session:
        image = v1.placeholder(tf.float32, SHAPE)
        kernel = v1.get_variable("w", (3, 3, 3, 4), use_resource=resource)
        scores = tf.nn.conv2d(image, kernel, 1, "SAME")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, str(path), {"x": image}, {"y": scores})


@pytest.mark.long
@pytest.mark.parametrize(
    "kind",
    ["export", "save", "keras 2", "tensorflow 1", "tensorflow 1, resource"],
)
def test_real_files_give_what_tensorflow_gives_and_lower(kind, tmp_path):
    path = written(kind, tmp_path / "net")
    model = load_model(path).model
    tensor = np.random.default_rng(0).random(model.input.shape, np.float32)
    wanted = expected(path, tensor)
    assert wanted.std() > 1e-3
    np.testing.assert_array_equal(model.predict(tensor, verbose=0), wanted)
    interpreter = open_interpreter(lower(model))
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], tensor)
    interpreter.invoke()
    got = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    np.testing.assert_allclose(got, wanted, atol=1e-5)


def test_fake_quantization_loads(tmp_path):
    def call(image):
        x = tf.quantization.fake_quant_with_min_max_vars(image, -1.0, 1.0)
        return {"scores": tf.quantization.quantize_and_dequantize_v2(x, -1.0, 1.0)}

    module = tf.Module()
    module.serve = tf.function(call, input_signature=[tf.TensorSpec(SHAPE)])
    tensor = np.random.default_rng(0).random(SHAPE, np.float32)
    path = saved(tmp_path / "net", module)
    got = load_model(path).model.predict(tensor, verbose=0)
    np.testing.assert_array_equal(got, expected(path, tensor))


def test_two_files_with_functions_of_one_name_do_not_mix(path, tmp_path):
    other = shutil.copytree(path, tmp_path / "other")

    def change(message):
        for function in message.meta_graphs[0].graph_def.library.function:
            for node in function.node_def:
                if node.op == "Conv2D":
                    node.attr["padding"].s = b"VALID"

    first = load_model(path).model
    assert load_model(edit(other, change)).model.output.shape != first.output.shape
    assert load_model(path).model.output.shape == first.output.shape
