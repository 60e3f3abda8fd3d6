"""Archives that are damaged, lie or ask for much end in one kind of error."""

from __future__ import annotations

import contextlib
import io
import struct
import tracemalloc
import zipfile

import pytest

from edgeseg.devices.archives import check_methods, open_archive, read_entry

NAME, CONTENT = "a.json", b'{"a": 1}' * 50
LIMIT = 1000


def packed(method=zipfile.ZIP_DEFLATED, name=NAME):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr(name, CONTENT)
    return bytearray(buffer.getvalue())


def read(data):
    with open_archive(io.BytesIO(data)) as archive:
        return read_entry(archive, NAME, LIMIT)


def test_a_good_archive_is_read():
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        assert read(packed(method)) == CONTENT


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_take_any_memory_are_refused(method):
    data = packed(method)
    with pytest.raises(zipfile.BadZipFile, match="expected deflate"):
        read(data)
    with (
        open_archive(io.BytesIO(data)) as archive,
        pytest.raises(zipfile.BadZipFile, match="expected deflate"),
    ):
        check_methods(archive)


def test_a_longer_entry_than_expected_is_refused():
    with (
        open_archive(io.BytesIO(packed())) as archive,
        pytest.raises(zipfile.BadZipFile, match="over 10 bytes"),
    ):
        read_entry(archive, NAME, 10)


@pytest.mark.parametrize("width", [1, 2, 4])
def test_any_number_in_any_place_is_read_or_refused(width):
    whole = packed()
    central = whole.find(b"PK\x01\x02")
    places = [*range(30), *range(central, len(whole) - width)]
    for at in places:
        for value in (0, 1, 8, 99, 2 ** (8 * width - 1), 2 ** (8 * width) - 1):
            data = bytearray(whole)
            data[at : at + width] = value.to_bytes(width, "little")
            with contextlib.suppress(zipfile.BadZipFile, KeyError):
                read(data)


def test_a_packed_length_that_lies_takes_no_memory(tmp_path):
    whole = packed(zipfile.ZIP_STORED)
    central = whole.find(b"PK\x01\x02")
    struct.pack_into("<I", whole, central + 20, 0x7FFFFFFF)
    path = tmp_path / "archive.zip"
    path.write_bytes(whole)
    tracemalloc.start()
    with contextlib.suppress(zipfile.BadZipFile), open_archive(path) as archive:
        read_entry(archive, NAME, LIMIT)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_every_cut_is_read_or_refused():
    whole = packed()
    for end in range(len(whole)):
        with pytest.raises(zipfile.BadZipFile):
            read(whole[:end])


def test_an_extra_field_that_lies_is_read_or_refused():
    whole = packed()
    central = whole.find(b"PK\x01\x02")
    field = struct.pack("<HHQ", 1, 8, 1 << 63)
    struct.pack_into("<H", whole, central + 30, len(field))
    struct.pack_into("<I", whole, central + 20, 0xFFFFFFFF)
    name_ends = central + 46 + len(NAME)
    whole[name_ends:name_ends] = field
    with contextlib.suppress(zipfile.BadZipFile, KeyError):
        read(whole)
