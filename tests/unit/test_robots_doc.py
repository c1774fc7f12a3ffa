"""What docs/robots.md shows is a policy that holds."""

import re
from pathlib import Path

import yaml

from countersign.provenance import touched
from countersign.wire.resources import objects
from countersign.wire.resources.attestors import Robot
from countersign.wire.resources.resolve import check
from tests.support import resources as stored

_DOCS = Path(__file__).parents[2] / "docs"
_TEXT = (_DOCS / "robots.md").read_text()


def test_the_policy_shown_is_valid() -> None:
    """As it stands, beside a collector."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", _TEXT, re.MULTILINE | re.DOTALL)
    robots = yaml.safe_load(block)["provenance"]["robots"]
    provenance = {"collectors": [stored.collector()], "robots": robots}

    check("payments", objects.policy(stored.policy(provenance=provenance)))


def test_every_field_is_explained() -> None:
    """In the table, by the name that a policy uses."""
    rows = "".join(line for line in _TEXT.splitlines() if line.startswith("| `"))
    fields = {field.alias or name for name, field in Robot.model_fields.items()}

    assert {field for field in fields if f"`{field}`" not in rows} == set()


def test_the_bounds_are_those_of_the_collector() -> None:
    """Numbers in prose grow old unseen."""
    assert f"more than {touched.MAX_EACH}" in _TEXT
    bounds = f"more than {touched.MAX_EACH}, {touched.MAX_ALL} together"
    assert bounds in (_DOCS / "provenance.md").read_text()
