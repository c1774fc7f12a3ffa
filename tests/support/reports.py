"""The kind ``Report`` of openreports.io, as far as anything here may write it.

Structural, and without room for unknown fields: what the real one does not know would be
refused by server-side apply, as here.
"""

from typing import Any

_TEXT = {"type": "string"}
_NUMBER = {"type": "integer"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _one_of(*words: str) -> dict[str, Any]:
    return {"type": "string", "enum": [*words]}


_REFERENCE = _object(
    **dict.fromkeys(
        (
            "apiVersion",
            "kind",
            "name",
            "namespace",
            "uid",
            "fieldPath",
            "resourceVersion",
        ),
        _TEXT,
    )
)
_RESULT = {
    **_object(
        source=_TEXT,
        policy=_TEXT,
        rule=_TEXT,
        category=_TEXT,
        message=_TEXT,
        scored={"type": "boolean"},
        result=_one_of("pass", "fail", "warn", "error", "skip"),
        severity=_one_of("critical", "high", "medium", "low", "info"),
        properties={"type": "object", "additionalProperties": _TEXT},
        resources={"type": "array", "items": _REFERENCE},
        timestamp={
            **_object(seconds=_NUMBER, nanos=_NUMBER),
            "required": ["seconds", "nanos"],
        },
    ),
    "required": ["policy"],
}
_SCHEMA = _object(
    apiVersion=_TEXT,
    kind=_TEXT,
    metadata={"type": "object"},
    scope=_REFERENCE,
    summary=_object(
        **dict.fromkeys(("pass", "fail", "warn", "error", "skip"), _NUMBER)
    ),
    results={"type": "array", "items": _RESULT},
)


def definition(group: str, version: str, kind: str, plural: str) -> dict[str, Any]:
    """Return the CRD of a kind of reports."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{group}",
            # of a group below k8s.io the server asks where that was agreed upon
            "annotations": {"api-approved.kubernetes.io": "unapproved, of a test"},
        },
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": kind.lower(),
            },
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": _SCHEMA},
                }
            ],
        },
    }


OPEN_REPORTS = definition("openreports.io", "v1alpha1", "Report", "reports")
POLICY_REPORTS = definition(
    "wgpolicyk8s.io", "v1alpha2", "PolicyReport", "policyreports"
)
