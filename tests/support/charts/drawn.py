"""Objects drawn at random, spelled as templates spell them.

Not the type tables' whole breadth (another job walks those) but what charts render:
usual fields, and for each several spellings, leftovers included. What the server refuses
is refused; what it takes must equal what was signed.
"""

import copy
import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Tree = dict[str, Any]

_CPU: tuple[Any, ...] = (1, "1", "1000m", 0.5, "0.5", "500m", "1e-1", "0.1", 2.0, "1.")
_MEMORY: tuple[Any, ...] = (
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
_TEXTS = (
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

    def objects(self, count: int) -> Iterator[Tree]:
        """Yield so many objects, kind after kind."""
        kinds = [*_KINDS.items()]
        for number in range(count):
            key, fill = kinds[number % len(kinds)]
            version, _, kind = key.rpartition("/")
            tree = {"apiVersion": version, "kind": kind, "metadata": self._metadata()}
            yield copy.deepcopy({**tree, **fill(self)})

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

    def _metadata(self) -> Tree:
        annotations: tuple[Any, ...] = (
            None,
            {},
            {"a": self.one(*_TEXTS), "b": self.one(*_TEXTS)},
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
                {"cpu": self.one(*_CPU)},
                {"cpu": self.one(*_CPU), "memory": self.one(*_MEMORY)},
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


def _selected(draw: Drawer, app: str) -> Tree:
    return {"selector": {"matchLabels": {"app": app}}, "template": draw.template(app)}


def _deployment(draw: Drawer) -> Tree:
    rolling: tuple[Any, ...] = (
        {},
        None,
        {"maxSurge": "100%"},
        {"maxUnavailable": 0, "maxSurge": 1},
    )
    fields = draw.some(
        replicas=(0, 1, 3, None, 2.0),
        strategy=(
            {},
            None,
            {"type": "Recreate"},
            {"rollingUpdate": draw.one(*rolling)},
        ),
        minReadySeconds=(0, 5),
        revisionHistoryLimit=(0, 10, None),
        progressDeadlineSeconds=(600, None),
        paused=(False,),
    )
    return {"spec": {**_selected(draw, "d"), **fields}, **draw.some(status=({}, None))}


def _stateful_set(draw: Drawer) -> Tree:
    made = {"metadata": {"name": "data"}, "spec": draw.claim()}
    fields = draw.some(
        replicas=(0, 3, None),
        podManagementPolicy=("", "Parallel", None),
        updateStrategy=(
            {},
            None,
            {"type": "OnDelete"},
            {"rollingUpdate": {"partition": 0}},
            {"type": "RollingUpdate", "rollingUpdate": {}},
        ),
        volumeClaimTemplates=([], None, [made]),
        persistentVolumeClaimRetentionPolicy=({}, None, {"whenScaled": "Delete"}),
        ordinals=({}, {"start": 0}, None),
        serviceName=("", "headless"),
    )
    return {"spec": {**_selected(draw, "s"), **fields}}


def _daemon_set(draw: Drawer) -> Tree:
    strategy: tuple[Any, ...] = (
        {},
        {"type": "OnDelete"},
        {"rollingUpdate": {"maxUnavailable": "10%"}},
    )
    fields = draw.some(updateStrategy=strategy, revisionHistoryLimit=(0, None))
    return {"spec": {**_selected(draw, "ds"), **fields}}


def _job_spec(draw: Drawer) -> Tree:
    policy = draw.one("Never", "OnFailure")
    return {
        "template": draw.template("j", restartPolicy=policy),
        **draw.some(
            backoffLimit=(0, 6, None),
            completions=(1, 3, None),
            parallelism=(0, 1, 2, None),
            ttlSecondsAfterFinished=(0, 100, None),
            suspend=(False, True, None),
            completionMode=("NonIndexed", None),
        ),
    }


def _cron_job(draw: Drawer) -> Tree:
    return {
        "spec": {
            "schedule": draw.one("@daily", "*/5 * * * *", "0 3 * * 1-5"),
            "jobTemplate": {"spec": _job_spec(draw), **draw.some(metadata=({}, None))},
            **draw.some(
                concurrencyPolicy=("", "Forbid", None),
                successfulJobsHistoryLimit=(0, 3, None),
                startingDeadlineSeconds=(100, None),
                timeZone=("Etc/UTC", None),
                suspend=(True, False),
            ),
        }
    }


def _service(draw: Drawer) -> Tree:
    port = draw.some(
        targetPort=("http", 8080, 0, "", None),
        protocol=("", "TCP", "UDP"),
        nodePort=(None, 0),
        appProtocol=("http", None),
    )
    return {
        "spec": {
            "ports": [{"name": "http", "port": 80, **port}, {"name": "b", "port": 81}],
            **draw.some(
                type=("", "ClusterIP", "NodePort", "LoadBalancer", None),
                selector=({}, None, {"app": "x"}, {"app": ""}),
                clusterIP=("", None),
                sessionAffinity=("", "None", "ClientIP"),
                externalTrafficPolicy=("",),
                internalTrafficPolicy=("Cluster", None),
                ipFamilyPolicy=("SingleStack", "PreferDualStack", None),
                externalIPs=([], ["192.0.2.1"]),
                loadBalancerSourceRanges=([], None),
                publishNotReadyAddresses=(False, True),
                loadBalancerIP=("",),
            ),
        }
    }


def _ingress(draw: Drawer) -> Tree:
    backend = {
        "service": {"name": "s", "port": draw.one({"number": 80}, {"name": "h"})}
    }
    path = {"path": draw.one("/", "/a"), "pathType": "Prefix", "backend": backend}
    rule = {"http": {"paths": [path]}, **draw.some(host=("", "a.example", "*.example"))}
    tls: tuple[Any, ...] = ([], None, [{"hosts": ["a.example"]}], [{"secretName": "t"}])
    more = draw.some(
        tls=tls, ingressClassName=("nginx", None), defaultBackend=(backend,)
    )
    return {"spec": {"rules": [rule], **more}}


def _network_policy(draw: Drawer) -> Tree:
    port = draw.one(
        {"port": 53, "protocol": "UDP"}, {"port": "dns"}, {"protocol": None}
    )
    peer = draw.one({"podSelector": {}}, {"namespaceSelector": {}, "podSelector": {}})
    rules: tuple[Any, ...] = ([], None, [{}], [{"ports": [port]}], [{"from": [peer]}])
    return {
        "spec": {
            "podSelector": draw.one(
                {}, {"matchLabels": {"a": ""}}, {"matchLabels": {}}
            ),
            **draw.some(
                ingress=rules,
                egress=([], [{}], [{"to": [peer], "ports": [port]}]),
                policyTypes=(None, [], ["Ingress"], ["Egress"], ["Ingress", "Egress"]),
            ),
        }
    }


def _autoscaler(draw: Drawer) -> Tree:
    target = {"kind": "Deployment", "name": "d", "apiVersion": "apps/v1"}
    cpu = {
        "type": "Resource",
        "resource": {
            "name": "cpu",
            "target": {"type": "Utilization", "averageUtilization": 80},
        },
    }
    pods = {
        "type": "Pods",
        "pods": {
            "metric": {"name": "q"},
            "target": {
                "type": "AverageValue",
                "averageValue": draw.one("1k", 1000, "1e3", 0.5),
            },
        },
    }
    down = {"policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}]}
    behavior: tuple[Any, ...] = (
        None,
        {},
        {"scaleDown": down},
        {"scaleUp": {}},
        {"scaleDown": {"selectPolicy": "Disabled"}},
    )
    more = draw.some(
        minReplicas=(1, 2, None),
        metrics=([], None, [cpu], [cpu, pods]),
        behavior=behavior,
    )
    return {"spec": {"scaleTargetRef": target, "maxReplicas": 5, **more}}


def _budget(draw: Drawer) -> Tree:
    least = draw.one(
        {"minAvailable": 1}, {"maxUnavailable": "50%"}, {"minAvailable": "0%"}
    )
    selector = draw.some(selector=({}, None, {"matchLabels": {"a": "b"}}))
    return {"spec": {**least, **selector}}


def _config_map(draw: Drawer) -> Tree:
    data = {f"k{n}": draw.one(*_TEXTS, None) for n in range(draw.one(0, 1, 4))}
    return draw.some(
        data=(data, None, {}),
        binaryData=({"b": "AAEC"}, {"b": "AA\nEC\n"}, None),
        immutable=(False, True, None),
    )


def _secret(draw: Drawer) -> Tree:
    values = ("YWJj", "", None, "YWJj\n", "YW\r\nJj")
    return draw.some(
        type=("", "Opaque", None),
        data=({"a": draw.one(*values), "b": "eA=="}, None, {}),
        stringData=({"b": draw.one(*_TEXTS), "c": None}, {}, None),
        immutable=(False, None),
    )


def _account(draw: Drawer) -> Tree:
    return draw.some(
        automountServiceAccountToken=(True, False, None),
        imagePullSecrets=([], None, [{"name": "r"}]),
        secrets=([], None),
    )


def _role(draw: Drawer) -> Tree:
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}
    more = draw.some(resourceNames=([], None, ["x"]), nonResourceURLs=([], None))
    return {"rules": draw.one([], None, [rule], [{**rule, **more}])}


def _role_binding(draw: Drawer) -> Tree:
    reference = {
        "kind": "Role",
        "name": "r",
        **draw.some(apiGroup=("rbac.authorization.k8s.io", "")),
    }
    account = {
        "kind": "ServiceAccount",
        "name": "a",
        "namespace": "default",
        **draw.some(apiGroup=("",)),
    }
    group = {
        "kind": "Group",
        "name": "g",
        **draw.some(apiGroup=("rbac.authorization.k8s.io", "")),
    }
    return {
        "roleRef": reference,
        "subjects": draw.one([], None, [account], [account, group]),
    }


def _quota(draw: Drawer) -> Tree:
    hard = {
        "cpu": draw.one(*_CPU),
        "requests.memory": draw.one(*_MEMORY),
        "pods": draw.one(4, "4", "1k"),
    }
    return {"spec": draw.some(hard=(hard, {}, None), scopes=([], None))}


def _limit_range(draw: Drawer) -> Tree:
    limit = {
        "type": "Container",
        **draw.some(
            max=({"cpu": 4},),
            default=({"cpu": draw.one(0.5, "500m")},),
            min=({"memory": "1Mi"},),
            defaultRequest=({"cpu": "0.1"}, {}),
        ),
    }
    return {
        "spec": {
            "limits": draw.one(
                [limit], [limit, {"type": "Pod", "max": {"memory": "1.0Gi"}}]
            )
        }
    }


_KINDS: Mapping[str, Callable[[Drawer], Tree]] = {
    "v1/Pod": lambda draw: {"spec": draw.pod()},
    "apps/v1/Deployment": _deployment,
    "v1/Service": _service,
    "apps/v1/StatefulSet": _stateful_set,
    "v1/ConfigMap": _config_map,
    "batch/v1/Job": lambda draw: {"spec": _job_spec(draw)},
    "v1/Secret": _secret,
    "apps/v1/DaemonSet": _daemon_set,
    "networking.k8s.io/v1/Ingress": _ingress,
    "batch/v1/CronJob": _cron_job,
    "networking.k8s.io/v1/NetworkPolicy": _network_policy,
    "autoscaling/v2/HorizontalPodAutoscaler": _autoscaler,
    "policy/v1/PodDisruptionBudget": _budget,
    "v1/ServiceAccount": _account,
    "rbac.authorization.k8s.io/v1/Role": _role,
    "rbac.authorization.k8s.io/v1/RoleBinding": _role_binding,
    "v1/PersistentVolumeClaim": lambda draw: {"spec": draw.claim()},
    "v1/ResourceQuota": _quota,
    "v1/LimitRange": _limit_range,
    "v1/ReplicationController": lambda draw: {
        "spec": {
            "template": draw.template("rc"),
            **draw.some(replicas=(0, 1, None), selector=({}, None, {"app": "rc"})),
        }
    },
}
