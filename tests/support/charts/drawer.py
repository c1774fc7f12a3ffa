"""Parts of objects drawn at random, Pods above all, each spelled as templates spell it."""

import random
from typing import Any

Tree = dict[str, Any]

CPU: tuple[Any, ...] = (1, "1", "1000m", 0.5, "0.5", "500m", "1e-1", "0.1", 2.0, "1.")
MEMORY: tuple[Any, ...] = (
    *("128Mi", "0.5Gi", "1.0Gi", "1e9", 1000000000, "1G", "134217728", "1.5Gi"),
    *("100M", "1e3Mi", "1048576Ki", "0"),
)
_NOTHING: tuple[Any, ...] = (None, {}, [])
_IMAGES = (
    "nginx",
    "nginx:1.27",
    "docker.io/library/nginx:latest",
    "localhost:5000/team/app",
    "localhost:5000/team/app:v1",
    f"ghcr.io/acme/app@sha256:{'ab' * 32}",
    f"ghcr.io/acme/app:1.0@sha256:{'cd' * 32}",
    "quay.io/acme/app:1.0_rc.1-alpine",
)
TEXTS = (
    "",
    "x",
    "true",
    "1e3",
    "0755",
    "multi\nline\n",
    "grüße 🐘",
    "{{ not }}",
    "null",
)
_PROBES: tuple[Tree, ...] = (
    {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}},
    {"httpGet": {"port": 8080}, "timeoutSeconds": 0, "periodSeconds": 5},
    {
        "httpGet": {
            "path": "",
            "port": 8080,
            "httpHeaders": [{"name": "X", "value": ""}],
        }
    },
    {"tcpSocket": {"port": 8080, "host": ""}, "initialDelaySeconds": 0},
    {"exec": {"command": ["sh", "-c", "exit 0\n"]}, "failureThreshold": 30},
    {"grpc": {"port": 9000, "service": ""}},
    {"grpc": {"port": 9000}, "successThreshold": 1},
)
_VOLUMES: tuple[Tree, ...] = (
    {"emptyDir": {}},
    {"emptyDir": {"medium": "", "sizeLimit": "1.0Gi"}},
    {"emptyDir": None},
    {"configMap": {"name": "c"}},
    {"configMap": {"name": "c", "defaultMode": 0o755, "items": []}},
    {"secret": {"secretName": "s", "optional": True}},
    {"hostPath": {"path": "/proc"}},
    {"hostPath": {"path": "/dev", "type": "Directory"}},
    {"persistentVolumeClaim": {"claimName": "p", "readOnly": False}},
    {"csi": {"driver": "x.example", "volumeAttributes": {"a": ""}}},
    {
        "downwardAPI": {
            "items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]
        }
    },
    {
        "projected": {
            "sources": [{"serviceAccountToken": {"path": "t", "audience": "v"}}]
        }
    },
    {
        "projected": {
            "sources": [
                {"configMap": {"name": "c", "optional": False}},
                {"secret": {"name": "s"}},
            ]
        }
    },
    {
        "ephemeral": {
            "volumeClaimTemplate": {
                "spec": {
                    "accessModes": ["ReadWriteOnce"],
                    "resources": {"requests": {"storage": "1Gi"}},
                }
            }
        }
    },
    {"nfs": {"server": "nfs.example", "path": "/"}},
    {"image": {"reference": "quay.io/crio/artifact:v1"}},
)
_ENV: tuple[Tree, ...] = (
    {"value": ""},
    {"value": None},
    {"value": "1"},
    {},
    {"valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"valueFrom": {"fieldRef": {"fieldPath": "status.podIP", "apiVersion": "v1"}}},
    {"valueFrom": {"secretKeyRef": {"name": "s", "key": "k", "optional": False}}},
    {"valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}},
    {"valueFrom": {"resourceFieldRef": {"resource": "limits.cpu"}}},
    {
        "valueFrom": {
            "resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}
        }
    },
)
_SECURITY: tuple[Any, ...] = (
    *_NOTHING[:2],
    {
        "runAsNonRoot": True,
        "runAsUser": 0,
        "capabilities": {"drop": ["ALL"], "add": []},
    },
    {"privileged": False, "allowPrivilegeEscalation": False, "seLinuxOptions": {}},
    {"seccompProfile": {"type": "RuntimeDefault"}, "readOnlyRootFilesystem": False},
)


class Drawer:
    """Draws objects, always the same for one seed.

    Args:
        seed: Of the sequence.
        namespace: Where namespaced objects go.
    """

    def __init__(self, seed: int, namespace: str) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._namespace = namespace
        self._count = 0

    def one(self, *choices: Any) -> Any:
        """Return one of several spellings."""
        return self._chance.choice(choices)

    def some(self, **fields: tuple[Any, ...]) -> Tree:
        """Return some of the fields, each with one of its spellings."""
        return {
            name: self._chance.choice(spellings)
            for name, spellings in fields.items()
            if self._chance.random() < 0.5
        }

    def name(self) -> str:
        """Return a name that was not used yet."""
        self._count += 1
        return f"drawn-{self._count}"

    def labels(self) -> Any:
        """Return labels, or what templates leave where there are none."""
        said = {"app.kubernetes.io/name": "x", "version": "1.0", "empty": ""}
        return self.one(None, {}, said, {"a": None})

    def metadata(self) -> Tree:
        """Return metadata with a name that was not used yet."""
        annotations: tuple[Any, ...] = (
            None,
            {},
            {"a": self.one(*TEXTS), "b": self.one(*TEXTS)},
        )
        return {
            "name": self.name(),
            "namespace": self._namespace,
            **self.some(
                labels=(self.labels(),),
                annotations=annotations,
                creationTimestamp=(None,),
                finalizers=([], None, ["charts.example/wait"]),
            ),
        }

    def resources(self) -> Any:
        """Return what a container asks for, in one spelling or another."""

        def amounts() -> Any:
            return self.one(
                None,
                {},
                {"cpu": self.one(*CPU)},
                {"cpu": self.one(*CPU), "memory": self.one(*MEMORY)},
            )

        return self.one(
            None, {}, self.some(limits=(amounts(),)), {"requests": amounts()}
        )

    def container(self, name: str) -> Tree:
        """Return a container."""
        env = [{"name": f"E{n}", **self.one(*_ENV)} for n in range(self.one(0, 1, 3))]
        port = self.some(name=("http",), protocol=("TCP", ""), hostPort=(0,))
        return {
            "name": name,
            "image": self.one(*_IMAGES),
            **self.some(
                imagePullPolicy=("", None, "Always", "IfNotPresent"),
                command=(None, [], ["sh", "-c", "sleep 1\n"], ["a", None]),
                args=(None, [], ["--x=$(E0)", ""]),
                env=(env, None),
                envFrom=(None, [], [{"configMapRef": {"name": "c"}, "prefix": ""}]),
                ports=([{"containerPort": 8080, **port}], [], None),
                resources=(self.resources(),),
                securityContext=_SECURITY,
                livenessProbe=(*_PROBES, None),
                readinessProbe=_PROBES,
                startupProbe=_PROBES,
                lifecycle=({}, None, {"preStop": {"exec": {"command": ["x"]}}}),
                terminationMessagePath=("", "/dev/termination-log"),
                tty=(False, True),
                workingDir=("", "/app"),
            ),
        }

    def pod(self, **fixed: Any) -> Tree:
        """Return a Pod's spec."""
        volumes = [
            {"name": f"v{n}", **self.one(*_VOLUMES)} for n in range(self.one(0, 1, 2))
        ]
        main = self.container("main")
        main["volumeMounts"] = [
            {
                "name": v["name"],
                "mountPath": f"/{v['name']}",
                **self.some(readOnly=(True, False), subPath=("", "a")),
            }
            for v in volumes
        ]
        return {
            "containers": [
                main,
                *(self.container("side") for _ in range(self.one(0, 1))),
            ],
            **({"volumes": volumes} if volumes else self.some(volumes=(None, []))),
            **self.some(
                initContainers=(None, [], [self.container("init")]),
                affinity=({}, None, {"podAntiAffinity": None}),
                nodeSelector=({}, None, {"kubernetes.io/os": "linux"}, {"a": ""}),
                tolerations=(
                    [],
                    None,
                    [{"operator": "Exists"}],
                    [{"key": "a", "value": "", "effect": ""}],
                ),
                securityContext=({}, None, {"fsGroup": 1001, "sysctls": []}),
                serviceAccountName=("", "default"),
                automountServiceAccountToken=(True, False, None),
                imagePullSecrets=([], None, [{"name": "r"}]),
                terminationGracePeriodSeconds=(0, 30, None),
                hostNetwork=(False, True),
                dnsPolicy=("", "ClusterFirst", None),
                dnsConfig=(None, {}, {"options": [{"name": "ndots", "value": "2"}]}),
                priorityClassName=("", "system-cluster-critical"),
                schedulerName=("", "default-scheduler"),
                enableServiceLinks=(True, False, None),
                hostAliases=([], None),
                topologySpreadConstraints=([], None),
                shareProcessNamespace=(False, None),
            ),
            **fixed,
        }

    def template(self, app: str, **fixed: Any) -> Tree:
        """Return a Pod template."""
        return {
            "metadata": {
                "labels": {"app": app, "empty": ""},
                **self.some(
                    annotations=(None, {}, {"checksum/config": "0e1"}),
                    creationTimestamp=(None,),
                    name=("", "x"),
                ),
            },
            "spec": self.pod(**fixed),
        }

    def claim(self) -> Tree:
        """Return the spec of a PersistentVolumeClaim."""
        amount = {"requests": {"storage": self.one("1Gi", "1e9", 1073741824, "1.5Gi")}}
        return {
            "accessModes": ["ReadWriteOnce"],
            "resources": amount,
            **self.some(
                storageClassName=("", None, "fast"),
                volumeMode=("", "Filesystem", "Block", None),
                selector=(None, {}, {"matchLabels": {}}),
                volumeName=("",),
            ),
        }
