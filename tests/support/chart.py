"""What a usual application chart renders: one of each kind, named after the test."""

from typing import Any

from tools.stack.history import BUILT, IMAGE

Tree = dict[str, Any]

NAMESPACE = "payments"
PINNED = f"{IMAGE}@sha256:{BUILT}"


def config_map(name: str, **data: str) -> Tree:
    """Return a ConfigMap."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": _metadata(name),
        "data": data or {"region": "eu-central-1"},
    }


def deployment(name: str, image: str = PINNED, replicas: int = 1) -> Tree:
    """Return a Deployment of one container."""
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(name),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": _template(name, image),
        },
    }


def service(name: str) -> Tree:
    """Return a Service."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(name),
        "spec": {
            "selector": {"app": name},
            "ports": [{"name": "http", "port": 80, "targetPort": 8080}],
        },
    }


def job(name: str, image: str = PINNED) -> Tree:
    """Return a Job."""
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(name),
        "spec": {"template": _batch_template(image), "backoffLimit": 2},
    }


def cron_job(name: str, image: str = PINNED) -> Tree:
    """Return a CronJob that is due every minute."""
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": _metadata(name),
        "spec": {
            "schedule": "* * * * *",
            "jobTemplate": {"spec": {"template": _batch_template(image)}},
        },
    }


def everything(name: str) -> list[Tree]:
    """Return one object of each kind of a usual chart."""
    rbac = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata(name)},
        config_map(name),
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": _metadata(name),
            "stringData": {"password": "hunter2-and-more"},
        },
        service(name),
        deployment(name),
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": _metadata(name),
            "spec": {
                "ingressClassName": "nginx",
                "rules": [
                    {
                        "host": "ledger.acme.example",
                        "http": {
                            "paths": [
                                {
                                    "path": "/",
                                    "pathType": "Prefix",
                                    "backend": {
                                        "service": {
                                            "name": name,
                                            "port": {"name": "http"},
                                        }
                                    },
                                }
                            ]
                        },
                    }
                ],
            },
        },
        job(f"{name}-migrate"),
        cron_job(f"{name}-report"),
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "Role",
            "metadata": _metadata(name),
            "rules": [
                {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}
            ],
        },
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": _metadata(name),
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": name},
            "subjects": [
                {"kind": "ServiceAccount", "name": name, "namespace": NAMESPACE}
            ],
        },
    ]


def _metadata(name: str) -> Tree:
    return {"name": name, "namespace": NAMESPACE, "labels": {"app": name}}


def _template(name: str, image: str) -> Tree:
    return {
        "metadata": {"labels": {"app": name}},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": image,
                    "ports": [{"containerPort": 8080}],
                    "env": [{"name": "REGION", "value": "eu-central-1"}],
                }
            ]
        },
    }


def _batch_template(image: str) -> Tree:
    container = {"name": "task", "image": image, "command": ["/task"]}
    return {"spec": {"restartPolicy": "Never", "containers": [container]}}
