"""What the chart registers: rules and conditions of each webhook, from the one table.

The chart's template adds what depends on its values: namespaces, service, certificate.
A test renders it and compares it with `webhook_configuration`.
"""

from collections.abc import Mapping
from typing import Any

from countersign.binding.registration import webhook_configuration
from countersign.binding.surface import RECOMMENDED
from countersign.core.types.artifacts import Json
from countersign.wire.yaml_text import render_yaml
from tools.gen import Generator

FILE = "charts/countersign/files/registration.yaml"
_HEADER = "# Generated from the table in countersign.binding.surface by `make gen`.\n"
_GLOB = "placeholder*"
_PATTERN = "placeholder.*"  # what becomes of the glob in a condition
_SCOPED = "protected"  # the condition that only globs need


def _webhooks(protected: str, *, recommended: bool) -> list[Any]:
    tree: Any = webhook_configuration(
        name="countersign",
        protected=(protected,),
        own_namespace="countersign",
        client_config={},
        cluster_scoped=RECOMMENDED if recommended else (),
    )
    found: list[Any] = tree["webhooks"]
    return found


def _make() -> Mapping[str, bytes]:
    named = _webhooks("placeholder", recommended=False)
    globbed = _webhooks(_GLOB, recommended=False)
    wide = _webhooks("placeholder", recommended=True)
    webhooks: list[Json] = [
        {
            "name": one["name"],
            "rules": one["rules"],
            "recommendedRules": more["rules"],
            "conditions": one["matchConditions"],
            "globs": [
                {**condition, "expression": _open(condition["expression"])}
                for condition in many["matchConditions"]
                if condition["name"] == _SCOPED
            ],
        }
        for one, many, more in zip(named, globbed, wide, strict=True)
    ]
    return {FILE: (_HEADER + render_yaml([{"webhooks": webhooks}])).encode()}


def _open(expression: str) -> str:
    """Leave the place of the patterns to the template."""
    before, found, after = expression.partition(_PATTERN)
    assert found  # noqa: S101 - else the table is no longer what this file knows
    return f"{before}PATTERNS{after}"


REGISTRATION = Generator(name="webhook registration", owns=FILE, make=_make)
