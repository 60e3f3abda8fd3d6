from __future__ import annotations

import pytest

from edgeseg.devices import InputError
from edgeseg.runtime import open_source
from edgeseg.runtime.archive.listing import chosen, items_of
from edgeseg.runtime.archive.work import Item


def test_names_are_those_of_a_run(photos):
    for source in (str(photos), f"{photos}/**/*.png"):
        with open_source(source) as opened:
            expected = dict(zip(opened.names(), map(str, opened.files), strict=True))
        assert {item.name: item.place for item in items_of([source])} == expected


def test_of_several_sources_the_names_are_apart(photos, clip):
    items = items_of(
        [str(photos / "0"), str(photos / "1"), str(photos / "0"), str(clip)]
    )
    names = [item.name for item in items]
    assert len(set(names)) == len(names)
    assert {name.split("/")[0] for name in names} == {"0", "1", "0-2", "clip"}
    assert [item.name for item in items if item.is_video] == ["clip/clip"]


def test_a_list_names_files_from_where_it_is(photos, clip):
    lines = ["# mine", "0/p00.png", "", str(photos / "1" / "p01.png"), str(clip)]
    listed = photos.parent / "some.txt"
    listed.write_text("\n".join(f"photos/{x}" if x[:1] == "0" else x for x in lines))
    items = items_of([str(listed)])
    assert [item.is_video for item in items] == [False, False, True]
    assert items[0].name.endswith("photos/0/p00")


@pytest.mark.parametrize("scheme", ["file", "local"])
def test_a_url_is_a_folder(photos, scheme):
    pytest.importorskip("pyarrow", reason="needs the extra `archive`")
    if scheme == "local":
        pytest.importorskip("fsspec", reason="needs fsspec")
    items = items_of([f"{scheme}://{photos}"])
    assert {item.name for item in items} == {
        item.name for item in items_of([str(photos)])
    }
    assert all(item.place.startswith(f"{scheme}://") for item in items)
    assert all(item.size > 0 for item in items)


def test_videos_in_a_folder_are_taken_too(photos, clip):
    (photos.parent / "mixed").mkdir()
    for path in (photos / "0" / "p00.png", clip):
        (photos.parent / "mixed" / path.name).write_bytes(path.read_bytes())
    items = items_of([str(photos.parent / "mixed")])
    assert [(item.name, item.is_video) for item in items] == [
        ("p00", False),
        ("clip", True),
    ]


def test_limit_and_sample(photos, clip):
    items = items_of([str(photos)])
    assert chosen(items, limit=3, sample=None)[0] == items[:3]
    few, _ = chosen(items, limit=None, sample=5)
    assert len(few) == 5
    assert few == chosen(items[::-1], limit=None, sample=5)[0][::-1]
    half, share = chosen(items, limit=None, sample=0.5)
    assert share.share == 0.5
    assert 0 < len(half) < len(items)
    films = [Item("clip", str(clip), True), *items]
    taken, _ = chosen(films, limit=302, sample=None)
    assert [item.most for item in taken] == [302, None, None]
    with pytest.raises(InputError, match=r"share such as 5%, got 5"):
        chosen(films, limit=None, sample=5)
    with pytest.raises(InputError, match="takes pictures"):
        chosen(films, limit=5, sample=0.5)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.txt", "\n# nothing\n", "is empty"),
        ("gone.txt", "nowhere.jpg\n", "entry 1"),
        ("binary.txt", b"\xff\xfe\x00", "in UTF-8"),
    ],
)
def test_a_list_that_cannot_be_used_is_named(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=words) as caught:
        items_of([str(path)])
    assert name in str(caught.value)


def test_nothing_to_do_is_an_error(tmp_path):
    with pytest.raises(InputError, match="no pictures in"):
        items_of([str(tmp_path)])
    with pytest.raises(InputError, match="no such file"):
        items_of([str(tmp_path / "nowhere")])
