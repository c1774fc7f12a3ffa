"""What docs/images.md shows is what is read."""

import re
from pathlib import Path

import yaml

from countersign.binding.references import parse_reference
from countersign.core.types.artifacts import GroupKind
from countersign.wire.resources import objects
from countersign.wire.resources.resolve import check
from tests.support import resources as stored

TEXT = (Path(__file__).parents[2] / "docs" / "images.md").read_text()
HUB = "docker.io/library/nginx"


def test_the_example_is_a_policys() -> None:
    """With every field that it has."""
    (shown,) = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    images = yaml.safe_load(shown)["spec"]["images"]
    spec = objects.policy(stored.policy(images=images))
    check("payments", spec)
    (paths,) = spec.images.value().paths

    assert paths.kind == GroupKind("fleet.example.com", "Machine")
    assert len(paths.paths) == shown.count("- /")


def test_references_are_read_as_the_table_says() -> None:
    """Short names, and what is a registry."""
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|$", TEXT, re.MULTILINE)
    written = {said: re.findall(r"`(.*?)`", names) for names, said in rows}

    for said, names in written.items():
        for name in names:
            read = parse_reference(name.replace("…", "7" * 64))
            if said.startswith("`docker.io/"):
                assert read is not None
                assert f"`{read.repository}`" == said
            elif said == "a registry of that name":
                assert read is not None
                assert f"{read.repository.rpartition('/')[0]}/app" == name
    assert f"`{HUB}`" in written
