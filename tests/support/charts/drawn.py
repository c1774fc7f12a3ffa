"""Objects drawn at random, spelled as templates spell them.

Not the type tables' whole breadth (another job walks those) but what charts render:
usual fields, and for each several spellings, leftovers included. What the server refuses
is refused; what it takes must equal what was signed.
"""

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.support.charts.drawer import CPU, MEMORY, TEXTS, Drawer

Tree = dict[str, Any]


def drawn(draw: Drawer, count: int) -> Iterator[Tree]:
    """Yield so many objects, kind after kind."""
    kinds = [*_KINDS.items()]
    for number in range(count):
        key, fill = kinds[number % len(kinds)]
        version, _, kind = key.rpartition("/")
        tree = {"apiVersion": version, "kind": kind, "metadata": draw.metadata()}
        yield copy.deepcopy({**tree, **fill(draw)})


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
    data = {f"k{n}": draw.one(*TEXTS, None) for n in range(draw.one(0, 1, 4))}
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
        stringData=({"b": draw.one(*TEXTS), "c": None}, {}, None),
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
        "cpu": draw.one(*CPU),
        "requests.memory": draw.one(*MEMORY),
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
