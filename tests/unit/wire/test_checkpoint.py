"""Checkpoints are read in one way, within bounds."""

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.core.errors import Malformed
from countersign.wire.checkpoint import (
    MAX_CHECKPOINT,
    MAX_SIGNATURES,
    parse_checkpoint,
)

ROOT = base64.b64encode(b"r" * 32).decode()
SIGNATURE = base64.b64encode(b"hashsignature").decode()
NOTE = f"log.example\n7\n{ROOT}\n"
SIGNED = f"\N{EM DASH} log.example {SIGNATURE}\n"


def test_reads_what_a_log_signs() -> None:
    """Tree, name and signature; more lines are the log's business."""
    text = f"{NOTE}Timestamp: 1\n\n{SIGNED}\N{EM DASH} witness.example {SIGNATURE}\n"
    checkpoint = parse_checkpoint(text)

    assert checkpoint.signed == f"{NOTE}Timestamp: 1\n".encode()
    assert (checkpoint.size, checkpoint.root) == (7, b"r" * 32)
    assert [one.name for one in checkpoint.signatures] == [
        "log.example",
        "witness.example",
    ]
    assert checkpoint.signatures[0].key_hash == b"hash"
    assert checkpoint.signatures[0].value == b"signature"


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("log.example", "log.example"),
        ("rekor.example - 1193050959916656506", "rekor.example"),
        ("rekor.example - tree", "rekor.example - tree"),
        ("- 1", "- 1"),
    ],
)
def test_the_first_log_writes_its_tree_behind_its_name(origin: str, host: str) -> None:
    """The signature is under the name alone."""
    assert parse_checkpoint(f"{origin}\n7\n{ROOT}\n\n{SIGNED}").host == host


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "lines, a blank one", id="nothing"),
        pytest.param(NOTE, "lines, a blank one", id="no signatures"),
        pytest.param(f"{NOTE}\n", "lines, a blank one", id="no signature"),
        pytest.param(f"{NOTE}\n{SIGNED[:-1]}", "a blank one", id="no end"),
        pytest.param(f"log.example\n7\n\n{SIGNED}", "a blank one", id="no root"),
        pytest.param(f"\n7\n{ROOT}\n\n{SIGNED}", "a blank one", id="no name"),
        pytest.param(f"{NOTE}\nx\n\n{SIGNED}", "a blank one", id="two blank lines"),
        *(
            pytest.param(
                f"log.example\n{size}\n{ROOT}\n\n{SIGNED}", "size", id=f"size {size!r}"
            )
            for size in ("-1", "+7", "07", "7 ", "x", "\N{ARABIC-INDIC DIGIT SEVEN}")
        ),
        pytest.param(
            f"log.example\n{'9' * 5000}\n{ROOT}\n\n{SIGNED}", "size", id="a huge size"
        ),
        pytest.param(f"log.example\n7\n!\n\n{SIGNED}", "base64", id="no hash"),
        pytest.param(f"{NOTE}\nlog.example {SIGNATURE}\n", "a name", id="no dash"),
        pytest.param(f"{NOTE}\n\N{EM DASH} log.example\n", "a name", id="no value"),
        pytest.param(f"{NOTE}\n\N{EM DASH} log.example !\n", "base64", id="no base64"),
        pytest.param(f"{NOTE}\n\N{EM DASH} log.example AAAA\n", "a name", id="short"),
        pytest.param(f"{NOTE}\n\N{EM DASH}  {SIGNATURE}\n", "a name", id="nameless"),
        pytest.param(
            f"{NOTE}\n{SIGNED * (MAX_SIGNATURES + 1)}", "at most", id="too many"
        ),
        pytest.param("x" * (MAX_CHECKPOINT + 1), "at most", id="too long"),
    ],
)
def test_refuses(text: str, reason: str) -> None:
    """Each for its own reason."""
    with pytest.raises(Malformed, match=reason):
        parse_checkpoint(text)


@given(st.text() | st.text("7\n\N{EM DASH} A=", max_size=40).map(lambda s: NOTE + s))
def test_only_malformed_escapes(text: str) -> None:
    """Whatever stands in a bundle."""
    with suppress(Malformed):
        parse_checkpoint(text)
