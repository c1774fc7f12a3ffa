"""The script that git runs, as text; tests/integration/test_hooks.py runs it."""

import re
import subprocess

import pytest

from countersign.provenance.hook_script import HOOKS, KEPT, hook_script, is_ours


@pytest.mark.parametrize("hook", HOOKS)
def test_it_is_a_whole_script(hook: str) -> None:
    """Every place is filled in, a shell reads it, and it is known again."""
    text = hook_script(hook)

    subprocess.run(["sh", "-n"], input=text.encode(), check=True)
    assert f"\nhook={hook}\n" in text
    assert f"${{0%.legacy}}.{KEPT}" in text
    assert is_ours(text.encode())
    assert not re.findall("@[A-Z]+@", text)


@pytest.mark.parametrize(
    "script",
    [
        b"",
        b"#!/bin/sh\n",
        b"#!/bin/sh\nexec countersign hooks run\n",
        b"#!/bin/sh\n\n# countersign hooks: below\n",
        b"\xff\xfe\n\xff",
    ],
)
def test_others_are_not_ours(script: bytes) -> None:
    """What only speaks of it is somebody's own."""
    assert not is_ours(script)
