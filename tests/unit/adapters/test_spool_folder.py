"""Segments on a real disk: whole or not there, in order, and never twice.

Seen to fail: with the checksum out, with a torn tail left, with sequences counted from
the last whole record after damage, with what is not synced given to readers, and with
the last segment removed.
"""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.adapters.spool.folder import Folder
from countersign.adapters.spool.frames import frame, frames
from countersign.core.errors import Misconfigured

MIB = 1 << 20
ALL = 10**6


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Iterator[Folder]:
    folder = Folder(tmp_path, limit=MIB)
    yield folder
    folder.close()


def held(folder: Folder, after: int = 0) -> dict[int, bytes]:
    """Return everything after a sequence."""
    found, more = folder.read(after, count=ALL, size=ALL * 100)
    assert not more
    return dict(found)


def opened_again(folder: Folder, path: Path) -> Folder:
    """Open the folder as the next process does."""
    folder.close()
    return Folder(path, limit=MIB)


def segments(path: Path) -> list[Path]:
    """Return the segments, in order."""
    return sorted(path.glob("*.log"))


def fill(folder: Folder) -> None:
    """Append until that is refused."""
    for _ in range(100):
        folder.append(b" " * 100_000)


@given(st.lists(st.binary(max_size=50), max_size=5), st.data())
def test_a_damaged_record_ends_what_is_read(
    lines: list[bytes], data: st.DataObject
) -> None:
    """Whatever byte changes: nothing is ever read that was not written."""
    raw = b"".join(frame(n, line) for n, line in enumerate(lines, start=1))
    at = data.draw(st.integers(0, max(0, len(raw) - 1)))
    broken = bytearray(raw)
    if raw:
        broken[at] ^= data.draw(st.integers(1, 255))

    seen = [each.data for each in frames(bytes(broken), 1)]

    assert seen == lines[: len(seen)]
    assert len(seen) < len(lines) or not raw
    assert [each.data for each in frames(raw, 1)] == lines


@given(lines=st.lists(st.binary(max_size=50), min_size=1, max_size=5), data=st.data())
def test_a_torn_tail_is_cut_and_the_rest_is_there(
    tmp_path_factory: pytest.TempPathFactory,
    lines: list[bytes],
    data: st.DataObject,
) -> None:
    """Killed at any byte: what was whole comes back, and writing goes on after it."""
    lines = [line.replace(b"\n", b"") for line in lines]  # JSON on one line has none
    path = tmp_path_factory.mktemp("spool")
    records = [frame(n, line) for n, line in enumerate(lines, start=1)]
    raw = b"".join(records)
    cut = data.draw(st.integers(0, len(raw)))
    (path / f"{1:020d}.log").write_bytes(raw[:cut])
    whole = next(
        n for n in range(len(records), -1, -1) if len(b"".join(records[:n])) <= cut
    )

    folder = Folder(path, limit=MIB)
    try:
        before = held(folder)
        sequence = folder.append(b"next")
        folder.sync()
        torn = cut - len(b"".join(records[:whole]))

        assert before == dict(enumerate(lines[:whole], start=1))
        assert sequence == whole + 1
        assert held(folder)[sequence] == b"next"
        assert folder.torn == torn
        assert folder.lost == bool(torn)
    finally:
        folder.close()


def test_only_what_reached_the_disk_is_read(folder: Folder) -> None:
    """A power cut must not take back a number that a recorder has seen."""
    folder.append(b"one")
    before = held(folder)
    folder.sync()

    assert before == {}
    assert held(folder) == {1: b"one"}


def test_goes_on_where_it_was(folder: Folder, tmp_path: Path) -> None:
    """With the same id, in another process."""
    name = folder.id
    folder.append(b"one")
    again = opened_again(folder, tmp_path)
    again.append(b"two")
    again.sync()

    assert again.id == name
    assert held(again) == {1: b"one", 2: b"two"}
    again.close()


def test_what_is_acknowledged_goes_by_whole_segments(
    folder: Folder, tmp_path: Path
) -> None:
    """And the last one stays: it names the next sequence."""
    for _ in range(10):
        folder.append(b" " * 100_000)
    folder.sync()
    files = len(segments(tmp_path))
    folder.acknowledge(10)
    left = segments(tmp_path)
    again = opened_again(folder, tmp_path)

    assert files > 3
    assert len(left) == 1
    assert again.append(b"next") == 11
    again.close()


def test_nothing_goes_before_it_is_acknowledged(folder: Folder) -> None:
    """Whatever number is said, before or beyond."""
    for _ in range(10):
        folder.append(b" " * 100_000)
    folder.sync()
    folder.acknowledge(4)

    assert set(range(5, 11)) <= set(held(folder))


def test_a_full_folder_refuses_and_takes_again_when_there_is_room(
    folder: Folder,
) -> None:
    """What is there stays: it was not recorded yet."""
    with pytest.raises(OSError, match="full") as refused:
        fill(folder)
    folder.sync()
    last = max(held(folder))

    assert refused.value.errno == errno.EDQUOT
    folder.acknowledge(last)
    assert folder.append(b"next") == last + 1


def test_a_batch_is_bounded_in_number_and_in_bytes(folder: Folder) -> None:
    """At least one, or a large one would stop everything."""
    for n in range(10):
        folder.append(b"%d" % n * 1000)
    folder.sync()

    some, more = folder.read(0, count=3, size=MIB)
    one, rest = folder.read(9, count=3, size=1)

    assert [n for n, _ in some] == [1, 2, 3]
    assert more
    assert [n for n, _ in one] == [10]
    assert not rest


def test_damage_in_the_middle_costs_what_is_behind_it_in_that_segment(
    folder: Folder, tmp_path: Path
) -> None:
    """The rest is read, the loss is counted, and no number is used again."""
    for n in range(1, 9):
        folder.append(b"%d" % n * 50_000)
    folder.sync()
    first, *_ = segments(tmp_path)
    raw = bytearray(first.read_bytes())
    raw[60_000] ^= 1
    first.write_bytes(raw)
    before, gone = set(range(1, 9)), set(held(folder))
    again = held(folder)

    assert 1 in gone
    assert 2 not in gone
    assert max(before) in gone
    assert folder.lost == len(before - gone)
    assert set(again) == gone


def test_damage_in_the_last_segment_uses_no_number_again(
    folder: Folder, tmp_path: Path
) -> None:
    """A recorder that read those before would leave out what came after."""
    for n in range(1, 6):
        folder.append(b"%d" % n * 10)
    folder.sync()
    (last,) = segments(tmp_path)
    raw = bytearray(last.read_bytes())
    raw[30] ^= 1
    last.write_bytes(raw)
    again = opened_again(folder, tmp_path)
    sequence = again.append(b"next")
    again.sync()

    assert sequence == 6
    assert held(again) == {1: b"1" * 10, 6: b"next"}
    assert again.lost == 4
    again.close()


def test_two_writers_are_refused(folder: Folder, tmp_path: Path) -> None:
    """Each replica has a folder of its own."""
    with pytest.raises(Misconfigured, match="give each replica its own"):
        Folder(tmp_path, limit=MIB)
    assert folder.append(b"one") == 1


def test_how_much_was_lost_is_kept(folder: Folder, tmp_path: Path) -> None:
    """Ever, also by processes before."""
    folder.lose(3)
    folder.sync()
    again = opened_again(folder, tmp_path)

    assert again.lost == 3
    again.close()


def test_a_record_that_did_not_fit_leaves_nothing(
    folder: Folder, tmp_path: Path
) -> None:
    """A disk that fills up in the middle of a segment, and is emptied again."""
    for _ in range(2):
        folder.append(b" " * 100_000)
    # the next segment lies on a device that is full
    full = tmp_path / f"{3:020d}.log"
    full.symlink_to("/dev/full")
    for _ in range(2):
        with pytest.raises(OSError, match="No space left"):
            folder.append(b"three")
    full.unlink()
    sequence = folder.append(b"three again")
    folder.sync()

    assert sequence == 3
    assert held(folder)[3] == b"three again"
    assert os.path.isfile(full)  # noqa: PTH113 - a link would do for Path.is_file
