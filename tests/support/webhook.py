"""AdmissionReviews as the API server sends them, and certificates to serve them with."""

import json
from pathlib import Path
from typing import Any

import trustme


def review(**request: Any) -> dict[str, Any]:
    """Return an AdmissionReview of the creation of a ConfigMap; `request` overrides."""
    manifest = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "routes", "namespace": "payments"},
        "data": {"primary": "eu-central-1"},
    }
    return {
        "kind": "AdmissionReview",
        "apiVersion": "admission.k8s.io/v1",
        "request": {
            "uid": "705ab4f5-6393-11e8-b7cc-42010a800002",
            "kind": {"group": "", "version": "v1", "kind": "ConfigMap"},
            "resource": {"group": "", "version": "v1", "resource": "configmaps"},
            "requestKind": {"group": "", "version": "v1", "kind": "ConfigMap"},
            "name": "routes",
            "namespace": "payments",
            "operation": "CREATE",
            "userInfo": {"username": "lee", "groups": ["system:authenticated"]},
            "object": manifest,
            "oldObject": None,
            "dryRun": False,
            "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"},
            **request,
        },
    }


def body(**request: Any) -> bytes:
    """Return the same as bytes."""
    return json.dumps(review(**request)).encode()


def write_certificate(authority: trustme.CA, folder: Path) -> tuple[Path, Path]:
    """Issue a certificate for 127.0.0.1 and write it, replacing an older one."""
    issued = authority.issue_cert("127.0.0.1", "localhost")
    certificate, key = folder / "tls.crt", folder / "tls.key"
    certificate.write_bytes(b"".join(p.bytes() for p in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    return certificate, key
