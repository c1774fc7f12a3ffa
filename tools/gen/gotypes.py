"""The type tables of ``countersign.binding``: how Kubernetes' Go types look on the wire.

Made by reflection in Go (``tools/controlplane/kubernetes/gotypes``), in the module that
also builds the API server: types and server cannot be of different versions.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping

from tools.gen import ROOT, Generator

MODULE = ROOT / "tools/controlplane/kubernetes"
FOLDER = "controller/countersign/binding/data"

KINDS = (
    "v1/ConfigMap",
    "v1/Endpoints",
    "v1/LimitRange",
    "v1/Namespace",
    "v1/PersistentVolumeClaim",
    "v1/Pod",
    "v1/ReplicationController",
    "v1/ResourceQuota",
    "v1/Secret",
    "v1/Service",
    "v1/ServiceAccount",
    "apps/v1/DaemonSet",
    "apps/v1/Deployment",
    "apps/v1/ReplicaSet",
    "apps/v1/StatefulSet",
    "autoscaling/v2/HorizontalPodAutoscaler",
    "batch/v1/CronJob",
    "batch/v1/Job",
    "discovery.k8s.io/v1/EndpointSlice",
    "networking.k8s.io/v1/Ingress",
    "networking.k8s.io/v1/NetworkPolicy",
    "policy/v1/PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1/ClusterRole",
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding",
    "rbac.authorization.k8s.io/v1/Role",
    "rbac.authorization.k8s.io/v1/RoleBinding",
)
"""The kinds that binding understands. A kind not listed is denied as unsupported.

To add one: list it, run `make gen`, write its defaults (``binding/defaults``) and what
the server allocates (``binding/allocation``), and add a manifest to the corpus of
``tests/integration/test_normal_form.py``, which says what is still missing.
"""


def reflect() -> bytes:
    """Run the Go program. The flags are those of the control plane's own build.

    With other flags Go would compile the whole of client-go a second time.
    """
    go = shutil.which("go")
    if go is None:
        raise SystemExit("gotypes: expected Go on PATH: the type tables come from it")
    build = ["run", "-trimpath", "-ldflags=-s -w", "./gotypes"]
    environment = {**os.environ, "CGO_ENABLED": "0"}
    done = subprocess.run(
        [go, *build, *KINDS],
        cwd=MODULE,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
    )
    return done.stdout


def render(table: Mapping[str, Mapping[str, object]]) -> bytes:
    """Write `table` with one kind or type a line, so that a diff can be read."""
    sections = []
    for name in ("kinds", "types"):
        lines = (
            f"  {json.dumps(key)}: {json.dumps(value, sort_keys=True)}"
            for key, value in sorted(table[name].items())
        )
        sections.append(f'"{name}": {{\n' + ",\n".join(lines) + "\n}")
    minor = f'"minor": {json.dumps(table["minor"])}'
    return ("{" + ",\n".join([minor, *sections]) + "}\n").encode()


def make() -> Mapping[str, bytes]:
    """Return the table of the pinned minor under its minor and digest."""
    table = json.loads(reflect())
    content = render(table)
    digest = hashlib.sha256(content).hexdigest()[:12]
    return {f"{FOLDER}/types-{table['minor']}-{digest}.json": content}


TYPE_TABLES = Generator("type tables", f"{FOLDER}/types-*.json", make)
