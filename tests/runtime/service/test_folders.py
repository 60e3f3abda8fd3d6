"""Folders of a service: whom they belong to, and who may write to them."""

from __future__ import annotations

import os
import pwd

import pytest

from edgeseg.runtime.service.folders import make_folders, unwritable_folders
from edgeseg.runtime.service.unit import ServiceUnit

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
ME = pwd.getpwuid(os.geteuid()).pw_name
NOBODY = pytest.param("nobody", marks=needs_root)


def unit_for(user, *folders):
    return ServiceUnit(
        ("edgeseg",), folders[0] / "c.toml", folders, system=True, user=user
    )


@pytest.mark.parametrize("user", [ME, NOBODY])
def test_folders_that_are_made_belong_to_whom_the_service_runs_as(tmp_path, user):
    there = tmp_path / "there"
    there.mkdir()
    unit = unit_for(user, there / "a/b", there)
    make_folders(unit)
    wanted = pwd.getpwnam(user).pw_uid
    assert {(there / name).stat().st_uid for name in ("a", "a/b")} == {wanted}
    assert there.stat().st_uid == os.geteuid()  # one that was there stays as it is
    assert there / "a/b" not in unwritable_folders(unit)
    make_folders(unit)


@needs_root
@pytest.mark.parametrize(("mode", "closed"), [(0o755, True), (0o777, False)])
def test_a_folder_of_somebody_else_is_named(tmp_path, mode, closed):
    tmp_path.chmod(mode)
    assert (tmp_path in unwritable_folders(unit_for("nobody", tmp_path))) is closed


@needs_root
def test_a_group_of_the_service_may_write(tmp_path):
    group = pwd.getpwnam("nobody").pw_gid
    os.chown(tmp_path, 0, group)
    tmp_path.chmod(0o770)
    assert not unwritable_folders(unit_for("nobody", tmp_path))
    tmp_path.chmod(0o707)  # what others may is not what the group may
    assert unwritable_folders(unit_for("nobody", tmp_path)) == (tmp_path,)
