"""What the chart renders, kept to be read: for those without Helm, and for reviewers.

``manifests/install.yaml`` is the chart with words in capitals where values belong, and
without certificates, which are random. Of other values the golden files show what each
changes against that.
"""

import base64
import difflib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from countersign.wire.yaml_text import render_yaml
from tools.controlplane import ensure
from tools.controlplane.programs import HELM
from tools.gen import ROOT, Generator

INSTALL = "manifests/install.yaml"
GOLDEN = "tests/golden/chart"
_CHART = ROOT / "charts" / "countersign"
_NAMESPACE = "countersign"
_AUTHORITY = "INTERNAL_AUTHORITY"  # of the one object that is made by hand
_HEADER = """\
# Generated from the chart by `make gen`: countersign for clusters without Helm.
# Before it is applied, four words need a value, and certificates have to be made:
# docs/install.md, "Without Helm", says how.
"""
# Everything that a value can decide must be one that a template can be read for.
BASE: Mapping[str, object] = {
    "clusterName": "NAME_OF_CLUSTER",
    "protectedNamespaces": ["protected-namespace"],
    "image": {"repository": "IMAGE_REPOSITORY"},
    "tls": {
        "secretName": "countersign-tls",
        "caBundle": "WEBHOOK_AUTHORITY",
        "internalSecretName": "countersign-internal",
        "internalCaBundle": _AUTHORITY,
    },
    "tests": {"enabled": False},
}
SETS: Mapping[str, Mapping[str, object]] = {
    "air-gapped": {
        "image": {
            "repository": "registry.acme.example/countersign",
            "digest": f"sha256:{'0' * 64}",
            "pullSecrets": ["puller"],
        },
        "registries": {
            "secretName": "reader",
            "caConfigMap": "authorities",
            "tokenHosts": ["registry.acme.example=login.acme.example"],
        },
        "networkPolicy": {
            "apiServerCIDRs": ["10.0.0.1/32"],
            "apiServerPorts": [6443],
            "registryCIDRs": ["10.0.1.0/24"],
            "dns": {"podSelector": {"matchLabels": {"k8s-app": "kube-dns"}}},
        },
    },
    "cert-manager": {
        "tls": {
            "certManager": {
                "name": "internal-ca",
                "kind": "ClusterIssuer",
                "group": "issuers.acme.example",
                "duration": "720h",
                "renewBefore": "240h",
                "user": "system:serviceaccount:certificates:cert-manager",
            }
        }
    },
    "everything-protected": {
        "protectedNamespaces": ["*"],
        "clusterScoped": "recommended",
        "timeoutSeconds": 30,
    },
    "extras": {
        "extra": {
            "serve": {
                "env": [{"name": "COUNTERSIGN_LIMITS_IN_FLIGHT", "value": "128"}],
                "volumes": [{"name": "more", "emptyDir": {}}],
                "volumeMounts": [{"name": "more", "mountPath": "/more"}],
                "podLabels": {"team": "platform"},
                "podAnnotations": {"note": "kept"},
            },
            "operate": {
                "env": [{"name": "COUNTERSIGN_SPOOLS_POLL_S", "value": "2"}],
                "volumes": [{"name": "more", "emptyDir": {}}],
                "volumeMounts": [{"name": "more", "mountPath": "/more"}],
                "podLabels": {"team": "platform"},
                "podAnnotations": {"note": "kept"},
            },
            "objects": [
                {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}},
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Chart.Name }}'}",
            ],
        }
    },
    "globs": {"protectedNamespaces": ["payments", "team-*"]},
    "governed": {
        "governance": {
            "rootRoster": "platform",
            "objects": [
                {
                    "apiVersion": "countersign.dev/v1alpha1",
                    "kind": "Roster",
                    "metadata": {"name": "platform"},
                    "spec": {"persons": []},
                }
            ],
        }
    },
    "mirrored": {
        "mirrors": {"caConfigMap": "mirrors"},
        "networkPolicy": {"mirrorCIDRs": ["10.0.2.7/32"]},
    },
    "guarded": {
        "backstops": {
            "keys": False,
            "installers": {"users": ["ada"], "groups": ["installers"]},
        },
        "recoveryGroups": ["recovery"],
    },
    "measured": {
        "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}},
        "operate": {"resources": {"requests": {"memory": "300Mi"}}},
        "serviceCIDRs": ["10.0.0.0/12"],
        "image": {"tag": "other", "pullPolicy": "Always"},
    },
    "monitored": {
        "monitoring": {
            "serviceMonitor": True,
            "prometheusRule": True,
            "dashboard": True,
            "interval": "15s",
            "runbook": "https://docs.acme.example/countersign",
            "labels": {"release": "prometheus"},
            "dashboardLabels": {"dashboards": "yes"},
        },
        "networkPolicy": {
            "recorderFrom": [
                {
                    "namespaceSelector": {
                        "matchLabels": {"kubernetes.io/metadata.name": "monitoring"}
                    }
                }
            ]
        },
    },
    "open-network": {"networkPolicy": {"enabled": False}},
    "placed": {
        "nodeSelector": {"role": "infra"},
        "tolerations": [{"key": "infra", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "priorityClassName": "first",
        "operate": {
            "priorityClassName": "second",
            "storage": {"size": "20Gi", "className": "fast"},
        },
        "serviceAccounts": {
            "serve": {"annotations": {"role": "reader"}},
            "operate": {"annotations": {"role": "writer"}},
        },
    },
    "readers": {"readers": ["seniors", "auditors"]},
    "single": {"replicas": 1, "logLevel": "debug"},
    "tested": {"tests": {"enabled": True}},
}


def template(values: Mapping[str, object]) -> str:
    """Return what Helm makes of the chart with `values`.

    Raises:
        CalledProcessError: The chart refuses them.
    """
    done = subprocess.run(
        [
            *(ensure([HELM])[HELM.name], "template", "countersign", _CHART),
            *("--namespace", _NAMESPACE, "--values", "-"),
        ],
        check=True,
        input=json.dumps(values),
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = (line.rstrip() for line in done.stdout.splitlines())
    return "\n".join(line for line in lines if line) + "\n"


def over(base: Mapping[str, object], more: Mapping[str, object]) -> dict[str, object]:
    """Lay values over others, as Helm does."""
    merged = dict(base)
    for key, value in more.items():
        old = merged.get(key)
        nested = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = over(old, value) if nested else value  # type: ignore[arg-type]  # both are, then
    return merged


def _install() -> Mapping[str, bytes]:
    namespace = render_yaml(
        [
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {
                    "name": _NAMESPACE,
                    "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
                },
            }
        ]
    )
    crds = "".join(_text(file) for file in sorted((_CHART / "crds").glob("*.yaml")))
    rendered = template(BASE).replace(
        _encoded("WEBHOOK_AUTHORITY"), "WEBHOOK_AUTHORITY"
    )
    rendered = rendered.replace("managed-by: Helm", "managed-by: kubectl")
    documents = [one for one in rendered.split("---\n") if _AUTHORITY not in one]
    text = "---\n".join(documents)
    return {INSTALL: (_HEADER + namespace + crds + text).encode()}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _text(file: Path) -> str:
    text = file.read_text()
    return text if text.startswith("---") else f"---\n{text}"


def _goldens() -> Mapping[str, bytes]:
    plain = template(BASE).splitlines()
    return {
        f"{GOLDEN}/{name}.diff": _difference(plain, template(over(BASE, values)))
        for name, values in SETS.items()
    }


def _difference(plain: list[str], text: str) -> bytes:
    found = difflib.unified_diff(
        plain, text.splitlines(), "install.yaml", "values", n=2, lineterm=""
    )
    # positions move with every line above: they would say nothing of the value
    lines = ("@@" if line.startswith("@@") else line for line in found)
    return ("\n".join(lines) + "\n").encode()


RENDERED = (
    Generator(name="manifest without Helm", owns=INSTALL, make=_install),
    Generator(name="golden files", owns=f"{GOLDEN}/*.diff", make=_goldens),
)
