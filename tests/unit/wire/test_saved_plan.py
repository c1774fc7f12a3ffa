"""Saved plans: each file of code in the digests, and one reading of each archive.

Faults this was seen to catch: an entry left out; the last of two equal names taken.
"""

import io
import re
import struct
import zipfile

import pytest

from countersign.core.errors import Malformed
from countersign.wire.saved_plan import MAX_FILES, read_code
from tests.support.plans import archive

WHOLE = archive()


def test_all_but_plan_and_states_is_digested() -> None:
    """What a newer program adds, too; and each by its own name."""
    states = {"tfstate": b"1", "tfstate-prev": b"2"}
    code = read_code(archive({**states, "tfconfig/m-a/x.tf": b"", "more": b""}))
    names = ["tfconfig/m-/main.tf", "tfconfig/modules.json", ".terraform.lock.hcl"]
    assert [*code] == [*names, "tfconfig/m-a/x.tf", "more"]
    assert code == read_code(archive({"tfconfig/m-a/x.tf": b"", "more": b""}))


@pytest.mark.parametrize(
    "name", ["tfconfig/m-/main.tf", "tfconfig/modules.json", ".terraform.lock.hcl"]
)
def test_a_change_is_another_digest(name: str) -> None:
    """Of that file alone."""
    one, other = read_code(WHOLE), read_code(archive({name: b"# evil\n"}))
    assert {key for key in one if one[key] != other[key]} == {name}


def _made(*names: str, comment: bytes = b"", extra: bytes = b"") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as saved:
        for name in names:
            info = zipfile.ZipInfo(name)
            info.comment, info.extra = comment, extra
            saved.writestr(info, name)
    return made.getvalue()


def _lying() -> bytes:
    """Return an archive whose directory says less of a file than it holds."""
    raw = bytearray(archive({"tfconfig/m-/x.tf": b"good" * 100}))
    at = raw.rindex(b"PK\x01\x02")
    raw[at + 24 : at + 28] = struct.pack("<L", 4)
    return bytes(raw)


_NEEDED = ("tfplan", "tfconfig/modules.json")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "saw something else"),
        (b"PK\x03\x04", "saw something else"),
        (b'{"format_version":"1.2"}', "JSON: that is what --plan takes"),
        (b'{"meta":{},"encrypted_data":"x"}', "an encrypted one"),
        (_made("a"), "another ZIP archive"),
        (_made("tfplan"), "another ZIP archive"),
        (_made(*_NEEDED, "m-/a.tf", "m-/b.tf").replace(b"/b.tf", b"/a.tf"), "twice"),
        (_made(*_NEEDED, comment=b"x"), "another way"),
        (_made(*_NEEDED, extra=b"\x75\x70\x01\x00x"), "another way"),
        (_made(*_NEEDED, "tfconfig/m-/a\n.tf"), "another way"),
        (b"#!" + WHOLE, "something else"),
        (WHOLE + b"\x00", "before, between or behind"),
        (WHOLE + WHOLE, "before, between or behind"),
        (archive({"tfconfig/m-/x.tf": bytes(1 << 20)}), "blown up"),
        (_lying(), "damaged"),
    ],
)
def test_what_is_no_saved_plan_is_refused(raw: bytes, said: str) -> None:
    """With what was expected, and what was seen."""
    with pytest.raises(Malformed, match=re.escape(said)) as caught:
        read_code(raw)
    assert "expected the plan that `tofu plan -out=FILE` saved" in str(caught.value)


def test_no_byte_of_an_archive_can_be_cut_or_turned_unseen() -> None:
    """Each is refused, or its digests differ, or it is nothing that a reader uses."""
    whole = read_code(WHOLE)
    for at in range(1, len(WHOLE)):
        with pytest.raises(Malformed):
            read_code(WHOLE[:at])
        turned = WHOLE[: at - 1] + bytes([WHOLE[at - 1] ^ 0xFF]) + WHOLE[at:]
        try:
            found = read_code(turned)
        except Malformed:
            continue
        assert len(found) >= len(whole) - 1


def test_nobody_signs_thousands_of_files() -> None:
    """Said with the number."""
    many = {f"tfconfig/m-/{n}.tf": b"" for n in range(MAX_FILES + 1)}
    with pytest.raises(Malformed, match=str(MAX_FILES)):
        read_code(archive(many))
