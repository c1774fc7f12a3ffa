"""Kubeconfig files: whole in themselves, so that they can be copied anywhere."""

import json
from base64 import b64encode
from pathlib import Path

from tools.controlplane.certificates import Pair


def write(
    file: Path,
    *,
    server: str,
    authority: bytes,
    user: str,
    pair: Pair,
    cluster: str,
    namespace: str,
) -> Path:
    """Write the kubeconfig of `user` to `file`, mode 0600, and return that.

    Args:
        file: Replaced if it is there.
        server: The API server's URL.
        authority: The certificate of its authority, PEM.
        user: The name of the entry; the API server reads the name in the certificate.
        pair: What the user authenticates with.
        cluster: The name of the entry and of the context.
        namespace: The one that commands without ``--namespace`` work in.
    """
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {
                    "server": server,
                    "certificate-authority-data": _base64(authority),
                },
            }
        ],
        "users": [
            {
                "name": user,
                "user": {
                    "client-certificate-data": _base64(pair.certificate),
                    "client-key-data": _base64(pair.key),
                },
            }
        ],
        "contexts": [
            {
                "name": cluster,
                "context": {"cluster": cluster, "user": user, "namespace": namespace},
            }
        ],
        "current-context": cluster,
    }
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    # JSON is YAML, and needs no library.
    file.write_text(json.dumps(content, indent=2), encoding="utf-8")
    return file


def _base64(content: bytes) -> str:
    return b64encode(content).decode("ascii")
