"""What docs/operators.md shows is a policy that holds."""

import re
from pathlib import Path

import yaml

from countersign.wire.resources import objects
from countersign.wire.resources.resolve import check
from tests.support import resources as stored

_DOC = Path(__file__).parents[2] / "docs" / "operators.md"
_BLOCK = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_every_policy_shown_is_valid() -> None:
    """All of its `exceptions`, each by itself."""
    shown = [yaml.safe_load(block) for block in _BLOCK.findall(_DOC.read_text())]
    exceptions = [tree["exceptions"] for tree in shown if "exceptions" in tree]

    assert len(exceptions) == 3
    for one in exceptions:
        check("payments", objects.policy(stored.policy(exceptions=one)))
