"""A model that trains through int8: the same steps as the converter's, and back."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `convert`")

import keras
from networks import settle as settle_weights
from networks import unet

from edgeseg.converter.calibration.calibrate import (
    CalibrationTensors,
    calibration_pictures,
)
from edgeseg.converter.conversion.float_model import lower
from edgeseg.converter.conversion.keras_device import segmenter_of
from edgeseg.converter.frameworks import third_party
from edgeseg.converter.loading.format import Loading
from edgeseg.converter.loading.load import load_model
from edgeseg.converter.networks.folding import fold
from edgeseg.converter.networks.graph import LayerGraph
from edgeseg.converter.quantization.flatbuffer import FlatModel
from edgeseg.converter.quantization.quantize import Quantization
from edgeseg.converter.quantization.ranges import measure
from edgeseg.converter.quantization.rounding import clipped_scales, nearest_steps
from edgeseg.converter.recipes import load_recipe
from edgeseg.converter.training.int8.first_weights import settle, settle_by
from edgeseg.converter.training.int8.layers import register
from edgeseg.converter.training.int8.plan import IMAGE, RoundingPlan
from edgeseg.converter.training.int8.rounding import activation_steps
from edgeseg.converter.training.int8.training_graph import (
    agreement,
    measure_ranges,
    prepare,
    restore,
    simulate,
)
from edgeseg.devices import InputError, ModelError, TensorSpec
from edgeseg.devices.litert import open_interpreter
from edgeseg.runtime.sources.synthetic import SyntheticSource

pytestmark = pytest.mark.long  # converts or trains real networks

layers = keras.layers


@pytest.fixture(scope="module")
def loaded(shapes_keras):
    return load_model(shapes_keras)


@pytest.fixture(scope="module")
def tensors(loaded, calibration):
    chosen = calibration_pictures(calibration).paths
    return list(CalibrationTensors(segmenter_of(loaded), chosen))


@pytest.fixture(scope="module")
def folded(loaded):
    return fold(loaded.model)


@pytest.fixture(scope="module")
def ranges(folded, tensors):
    return measure_ranges(folded, tensors)


@pytest.fixture(scope="module")
def prepared(folded, ranges):
    return prepare(folded, ranges)


@pytest.fixture(scope="module")
def scenes(loaded):
    source = SyntheticSource("320x240,still,seed=11,frames=4")
    with_keras = segmenter_of(loaded)
    return [with_keras.tensor(source.scene(index)[0]) for index in range(4)]


def fake_quants(model):
    return [la for la in model.layers if type(la).__name__ == "FakeQuant"]


def test_the_steps_are_those_of_the_converted_file(prepared, shapes_tflite):
    flat = FlatModel(shapes_tflite.read_bytes())
    written = {int(t) for o in flat.graph.operators for t in o.outputs}
    written |= {int(flat.graph.inputs[0])}
    expected = {flat.quantization(t) for t in written if flat.dtype(t) == "int8"}
    got = {(float(np.float32(la.scale)), la.zero_point) for la in fake_quants(prepared)}
    assert got == {(float(np.float32(s)), z) for s, z in expected}


def converted(folded, tensors):
    """Return what the converter makes of a model: float TFLite, ranges and int8."""
    single = LayerGraph.of(folded).redraw(
        lambda c, *a, **k: c.layer(*a, **k), batch_size=1
    )
    single.set_weights(folded.get_weights())
    content = lower(single)
    found = measure(content, tensors)
    with third_party():
        made = Quantization(content, load_recipe("int8"), found).make()
    return content, found, FlatModel(made)


def scores_of(flat, tensors):
    interpreter = open_interpreter(flat.to_bytes())
    interpreter.allocate_tensors()
    ends = int(flat.graph.inputs[0]), int(flat.graph.outputs[0])
    first, last = (
        TensorSpec("x", flat.shape(t), "int8", *flat.quantization(t)) for t in ends
    )
    got = []
    for tensor in tensors:
        interpreter.set_tensor(ends[0], first.quantize(tensor))
        interpreter.invoke()
        got.append(last.dequantize(interpreter.get_tensor(ends[1])))
    return got


def test_it_answers_like_int8_rather_than_like_float(shared, voc):
    """With the converter's own integers, what is left is the order of arithmetic."""
    name = "deeplabv3_mobilenetv2_dm05_voc_os8_257_release.h5"
    loading = Loading(size=(129, 129), output_stride=16)
    loaded = load_model(shared / "models" / "keras" / name, loading)
    pictures = sorted((voc / "calibration" / "JPEGImages").iterdir())[:24]
    tensors = list(CalibrationTensors(segmenter_of(loaded), pictures))
    seen, unseen = tensors[:16], tensors[16:]
    folded = fold(loaded.model)
    content, found, int8 = converted(folded, seen)
    ours = prepare(settle_by(folded, content, found), measure_ranges(folded, seen))
    shipped = scores_of(int8, unseen)
    near = agreement(simulate(ours, unseen), shipped)
    far = agreement(simulate(folded, unseen), shipped)
    assert 1 - near.labels < 0.75 * (1 - far.labels)
    assert near.mean_difference < far.mean_difference


def test_layers_names_weights_and_trainable_are_kept(loaded, ranges):
    folded = fold(loaded.model)
    folded.layers[2].trainable = False
    prepared = prepare(folded, ranges)
    own = [la for la in prepared.layers if type(la).__name__ != "FakeQuant"]
    assert {la.name for la in own} == {la.name for la in folded.layers}
    frozen = {la.name for la in folded.layers if not la.trainable}
    assert {la.name for la in own if not la.trainable} == frozen
    for layer in own:
        for got, expected in zip(
            layer.get_weights(),
            folded.get_layer(layer.name).get_weights(),
            strict=True,
        ):
            np.testing.assert_array_equal(got, expected)


def test_restored_weights_are_those_underneath_or_on_the_grid(prepared, folded, scenes):
    plain = restore(prepared, on_grid=False)
    assert [type(la) for la in plain.layers] == [type(la) for la in folded.layers]
    np.testing.assert_array_equal(
        simulate(plain, scenes[:2]), simulate(folded, scenes[:2])
    )
    on_grid = restore(prepared)
    assert [la.name for la in on_grid.layers] == [la.name for la in folded.layers]
    changed = [
        name
        for name in (la.name for la in folded.layers if hasattr(la, "kernel"))
        if np.any(on_grid.get_layer(name).kernel != folded.get_layer(name).kernel)
    ]
    assert changed


def test_a_grid_prepared_again_computes_the_same(prepared, ranges, scenes):
    again = prepare(restore(prepared), ranges)
    found = agreement(simulate(again, scenes), simulate(prepared, scenes))
    # steps differ in the last bit of a float: few values at a tie fall elsewhere
    assert found.labels > 0.999


def small(seed=0):
    image = keras.Input((16, 16, 3), name="image")
    x = layers.Conv2D(8, 3, padding="same", name="first")(image)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.DepthwiseConv2D(3, padding="same", name="second")(x)
    model = keras.Model(image, layers.Conv2D(4, 1, name="scores")(x))
    return settle_weights(model, seed)


def batch(count=4, seed=1):
    draw = np.random.default_rng(seed)
    return draw.uniform(-1, 1, (count, 16, 16, 3)).astype(np.float32)


def test_it_trains_and_what_was_trained_is_what_ships():
    folded, x = fold(small()), batch(16)
    wanted = simulate(folded, [x])[0]
    ranges = measure_ranges(folded, [x])
    for layer in folded.layers[1:]:
        layer.set_weights([w * 0.9 for w in layer.get_weights()])
    prepared = prepare(folded, ranges)
    prepared.compile(keras.optimizers.Adam(3e-3), "mse")
    losses = [float(prepared.train_on_batch(x, wanted)) for _ in range(80)]
    assert np.mean(losses[-5:]) < 0.1 * losses[0]
    _, _, flat = converted(restore(prepared), [frame[None] for frame in x])
    steps = [
        flat.constant(int(o.inputs[1]))
        for o in flat.graph.operators
        if len(o.inputs) > 2
    ]
    layers_with_weights = [layer for layer in restore(prepared).layers if layer.weights]
    assert len(steps) == 3
    for layer, found in zip(layers_with_weights, steps, strict=True):
        rows = weight_rows(layer)
        expected = nearest_steps(rows, clipped_scales(rows))
        got = found.reshape(len(rows), -1)
        if type(layer).__name__ == "DepthwiseConv2D":
            got = found.reshape(-1, len(rows)).T
        np.testing.assert_array_equal(got, expected)


def weight_rows(layer):
    """Return a kernel in TensorFlow Lite's order, a row an output channel."""
    kernel = layer.get_weights()[0].astype(np.float64)
    if type(layer).__name__ == "DepthwiseConv2D":
        return kernel.reshape(-1, kernel.shape[2] * kernel.shape[3]).T
    return kernel.transpose(3, 0, 1, 2).reshape(kernel.shape[3], -1)


def test_a_prepared_model_survives_a_file(tmp_path):
    folded, x = fold(small()), batch()
    prepared = prepare(folded, measure_ranges(folded, [x]))
    register()
    with third_party():
        prepared.save(tmp_path / "prepared.keras")
        again = keras.models.load_model(tmp_path / "prepared.keras", safe_mode=True)
    np.testing.assert_array_equal(again(x), prepared(x))
    assert restore(again).count_params() == folded.count_params()


def rounded_layers(model):
    return RoundingPlan.of(LayerGraph.of(model))


def test_a_relu_is_rounded_with_what_is_before_it():
    image = keras.Input((8, 8, 3))
    x = layers.ReLU(6.0, name="r1")(layers.Conv2D(4, 1, name="c1")(image))
    y = layers.Activation("relu", name="r2")(layers.Add(name="sum")([x, x]))
    z = layers.ReLU(negative_slope=0.1, name="r3")(layers.Conv2D(4, 1, name="c3")(y))
    plan = rounded_layers(keras.Model(image, z))
    assert plan.outputs == {name: name for name in ("r1", "r2", "c3", "r3")}


def test_parts_take_the_steps_of_their_concatenation():
    image = keras.Input((8, 8, 3))
    alone = layers.Conv2D(4, 1, name="alone")(image)
    shared = layers.Conv2D(4, 1, name="shared")(image)
    joined = layers.Concatenate(name="joined")([alone, shared])
    scores = layers.Conv2D(4, 1, name="scores")(joined)
    model = keras.Model(image, layers.Add(name="sum")([scores, shared]))
    plan = rounded_layers(model)
    assert plan.parts == {"joined": "joined"}
    assert set(plan.outputs) == {"shared", "scores", "sum"}


def test_a_resize_keeps_the_steps_of_what_it_reads():
    image = keras.Input((8, 8, 3))
    x = layers.MaxPooling2D(name="pool")(layers.Conv2D(4, 1, name="conv")(image))
    x = layers.UpSampling2D(interpolation="bilinear", name="large")(x)
    both = layers.Concatenate(name="joined")([x, layers.AveragePooling2D(1)(image)])
    plan = rounded_layers(keras.Model(image, layers.Softmax(name="end")(both)))
    assert plan.outputs["large"] == "conv"
    assert IMAGE in plan.outputs.values()
    assert not {"pool", "end"} & set(plan.outputs)


def test_other_networks_can_be_prepared():
    folded = fold(unet(keras, (32, 32)))
    draw = np.random.default_rng(0)
    x = draw.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    prepared = prepare(folded, measure_ranges(folded, [x]))
    apart = np.abs(simulate(prepared, [x])[0] - simulate(folded, [x])[0]).mean()
    assert 0 < apart < 0.05


def test_ranges_leave_out_a_ten_thousandth():
    x = batch(8)
    x[0, 0, 0, 0] = 50.0  # 1 of 6144
    found = measure_ranges(fold(small()), [x[:3], x[3:]])
    assert found[IMAGE][1] == 50.0
    x = np.tile(x, (4, 1, 1, 1))
    x[1:, 0, 0, 0] = 0.0
    assert measure_ranges(fold(small()), [x])[IMAGE][1] < 2


def test_ranges_of_the_steps_hold_zero():
    found = measure_ranges(fold(small()), [batch() + 3.0])
    low, high = found[IMAGE]
    assert low > 1.9
    assert activation_steps(low, high)[1] == -128


def test_bad_input_is_told():
    folded, x = fold(small()), batch()
    found = measure_ranges(folded, [x])
    with pytest.raises(InputError, match="no picture to measure"):
        measure_ranges(folded, [])
    with pytest.raises(InputError, match=r"no range for 1 of \d+ layers, such as 'sco"):
        prepare(folded, {k: v for k, v in found.items() if k != "scores"})
    with pytest.raises(ModelError, match="prepared already"):
        prepare(prepare(folded, found), found)
    with pytest.raises(InputError, match="no scores to compare"):
        agreement([], [])
    folded.get_layer("second").set_weights(
        [w * np.nan for w in folded.get_layer("second").get_weights()]
    )
    with pytest.raises(ModelError, match="'second' gives values that are not finite"):
        measure_ranges(folded, [x])


def test_settling_needs_no_fixed_batch():
    folded, x = fold(small()), batch(40)
    settled = settle(folded, [frame[None] for frame in x])
    assert settled.inputs[0].shape[0] is None
    changed = [
        la.name
        for la in settled.layers
        if la.weights and np.any(la.kernel != folded.get_layer(la.name).kernel)
    ]
    assert changed == ["first", "second", "scores"]
    found = measure_ranges(folded, [x])
    wanted = simulate(folded, [x])
    nearest = agreement(simulate(prepare(folded, found), [x]), wanted)
    better = agreement(simulate(prepare(settled, found), [x]), wanted)
    assert better.mean_difference < nearest.mean_difference
