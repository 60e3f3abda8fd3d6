"""Three nodes, and kills: an archive is what it is on one machine."""

from __future__ import annotations

import pytest

for package in ("ray", "pyarrow"):
    pytest.importorskip(package, reason="needs the extra `archive`")


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")  # of Ray's test cluster
def test_nothing_is_lost_or_done_twice_whoever_is_killed(
    golden_model, photos, clip, tmp_path
):
    from edgeseg.benchmarks.studies.archive.kills import kill_each

    found = kill_each(golden_model, [photos, clip], tmp_path)
    assert (found["nodes"], found["pictures"]) == (3, 326)
    for kill in ("nothing", "actor", "node", "driver"):
        result = found[kill]
        counts = {
            key: result[key]
            for key in ("rows", "twice", "missing", "masks", "left_behind")
        }
        assert counts == {
            "rows": 326,
            "twice": 0,
            "missing": 0,
            "masks": 326,
            "left_behind": 0,
        }, (kill, result)
        assert (result["other_rows"], result["other_masks"]) == (0, 0)
        assert len(result["unread"]) == 3
        assert result["exit"][-1] == 1  # three could not be read
    assert found["driver"]["exit"][0] == -9
