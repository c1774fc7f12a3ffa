"""The chart's ValidatingAdmissionPolicies, from the tables of accounts and resources.

The chart's template puts in who is exempt, and the namespace of the release.
"""

from collections.abc import Mapping

from countersign.binding.backstops import Guarded, backstops, keys
from countersign.core.types.artifacts import Json, Tree
from countersign.wire.yaml_text import render_yaml
from tools.gen import Generator

FILE = "charts/countersign/files/backstops.yaml"
EXEMPT, NAMESPACE, ISSUERS = (
    "EXEMPT",
    "NAMESPACE",
    "ISSUERS",
)  # what the template replaces
_HEADER = "# Generated from the tables in countersign.binding by `make gen`.\n"


def _make() -> Mapping[str, bytes]:
    name = keys()["metadata"]
    told = Guarded(exempt=EXEMPT, namespace=NAMESPACE, issuers=ISSUERS)
    made = backstops(told)
    groups: dict[str, list[Json]] = {"keys": [], "others": []}
    for tree in made:
        groups["keys" if tree["metadata"] == name else "others"].append(tree)
    listed: Tree = {**groups}
    return {FILE: (_HEADER + render_yaml([listed])).encode()}


BACKSTOPS = Generator(name="backstops", owns=FILE, make=_make)
