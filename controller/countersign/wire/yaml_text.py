"""Writing YAML that every reader reads alike.

YAML 1.1 and 1.2, and their libraries, disagree on which bare words are booleans,
numbers or dates. So only words that nobody disagrees on stay bare.
"""

import re
from collections.abc import Iterable

import yaml

from countersign.core.types.artifacts import Tree

_BARE = re.compile(r"[A-Za-z](?:[A-Za-z0-9_./@:-]*[A-Za-z0-9])?")
_SPECIAL = frozenset({"false", "n", "no", "null", "off", "on", "true", "y", "yes"})


class _Dumper(yaml.CSafeDumper):
    """PyYAML's dumper with our strings."""

    def ignore_aliases(self, data: object) -> bool:
        """Write shared values out each time: anchors are refused by our reader."""
        del data
        return True


def _represent_text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    tag = "tag:yaml.org,2002:str"
    if "\n" in text:
        return dumper.represent_scalar(tag, text, style="|")
    if _BARE.fullmatch(text) and text.lower() not in _SPECIAL:
        return dumper.represent_scalar(tag, text)
    return dumper.represent_scalar(tag, text, style='"')


_Dumper.add_representer(str, _represent_text)


def render_yaml(documents: Iterable[Tree], *, ordered: bool = False) -> str:
    """Write `documents` as a YAML stream, non-ASCII as it is.

    Args:
        documents: One or more.
        ordered: Sort the keys, for texts that are compared; else as they come.
    """
    return yaml.dump_all(
        documents,
        Dumper=_Dumper,
        sort_keys=ordered,
        allow_unicode=True,
        width=2**31 - 1,  # no folding: an annotation of ours is one line
        explicit_start=True,
        default_flow_style=False,
    )
