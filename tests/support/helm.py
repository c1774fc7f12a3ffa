"""Helm's storage, as Helm writes it."""

import base64
import gzip
import json
from typing import Any

Tree = dict[str, Any]

NAME = "sh.helm.release.v1.web.v1"


def secret(
    *,
    release: str = "web",
    version: int = 1,
    status: str = "deployed",
    namespace: str = "payments",
) -> Tree:
    """Return the Secret of one revision of a release."""
    data = {"release": base64.b64encode(_encoded(release).encode()).decode()}
    return {
        **_object("Secret", release, version, status, namespace),
        "type": "helm.sh/release.v1",
        "data": data,
    }


def config_map(*, release: str = "web", version: int = 1) -> Tree:
    """Return the same as a ConfigMap, as ``HELM_DRIVER=configmap`` keeps it."""
    tree = _object("ConfigMap", release, version, "deployed", "payments")
    return {**tree, "data": {"release": _encoded(release)}}


def _object(kind: str, release: str, version: int, status: str, namespace: str) -> Tree:
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {
            "name": f"sh.helm.release.v1.{release}.v{version}",
            "namespace": namespace,
            "labels": {
                "createdAt": "1780000000",
                "name": release,
                "owner": "helm",
                "status": status,
                "version": str(version),
            },
        },
    }


def _encoded(release: str) -> str:
    plain = json.dumps({"name": release, "manifest": ""}).encode()
    return base64.b64encode(gzip.compress(plain)).decode()
