"""The judge sees what no command may do."""

from __future__ import annotations

import pytest
from hostile.case import Case
from hostile.driver import Driver
from hostile.places import Places

BROKEN = {
    "good": set(),
    "refusal": set(),
    "signal": {"signal"},
    "abort": {"signal"},
    "traceback": {"traceback"},
    "hang": {"hang"},
    "memory": {"memory"},
    "half picture": {"half output"},
    "half lines": {"half output"},
    "empty lines": {"half output"},
    "outside": {"file outside"},
    "home": {"file outside"},
    "input": {"file outside"},
    "temporary": {"file left"},
    "part": {"file left"},
    "child": {"process left"},
    "noise": {"noise"},
    "escape": {"control character"},
    "long": {"long line"},
    "two errors": {"error line"},
    "silence": {"error line"},
    "nothing written": {"no output"},
    "status": {"status"},
}


@pytest.fixture(scope="module", params=[False, True], ids=["forked", "plain"])
def driver(request, tmp_path_factory):
    with Driver(tmp_path_factory.mktemp("cases"), plain=request.param) as made:
        yield made


@pytest.mark.parametrize("what", BROKEN)
def test_what_no_command_may_do_is_seen(what, driver, tmp_path):
    places = Places(tmp_path / "case")
    (places.work / "model.tflite").write_bytes(b"model")
    outputs = {"refusal": ("found.jsonl",), "nothing written": ("found.jsonl",)}
    half = ("found.jsonl", "out.png") if what.startswith(("half", "empty")) else ()
    case = Case(
        ("@bad", what),
        outputs=outputs.get(what, half),
        timeout_s=1.5 if what == "hang" else 30,
    )
    result = driver.run_case(case, "none", places, tmp_path, memory_bytes=100 << 20)
    assert {fault.rule for fault in result.faults} == BROKEN[what], result
