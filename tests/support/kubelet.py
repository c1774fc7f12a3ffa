"""What a node would do for a release: runs its Pods, here as processes.

The API server finds them as it finds them in a cluster, by their Service and under its
name; only the port is another one.
"""

import base64
import json
import os
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tools.controlplane import ControlPlane, Result
from tools.controlplane.servers import LOOPBACK
from tools.stack.addresses import free
from tools.stack.pod import process
from tools.stack.ready import until

Tree = dict[str, Any]

_PATCH = ("patch", "--type=json", "-p")


class Kubelet:
    """The only one of a control plane; it runs Pods of one namespace.

    Args:
        plane: Its processes include the Pods'.
        folder: For volumes and logs.
        namespace: Of the release.
    """

    def __init__(self, plane: ControlPlane, folder: Path, namespace: str) -> None:
        self._plane = plane
        self._folder = folder
        self._namespace = namespace

    def run(self, deployment: str, **settings: object) -> Path:
        """Start the Pod of a Deployment, on free ports; return its log.

        Args:
            deployment: Its name.
            **settings: Addresses, by the names of their variables.
        """
        workload = self._get("deployment", deployment)
        folder = self._folder / deployment
        folder.mkdir()
        made = process(workload, folder, secrets=self._held(), config_maps={})
        account = workload["spec"]["template"]["spec"]["serviceAccountName"]
        here = {"CLUSTER_KUBECONFIG": self._user(account), **settings}
        told = {f"COUNTERSIGN_{name}": str(value) for name, value in here.items()}
        log = folder / "log"
        self._plane.ledger.start(
            deployment,
            made.command,
            log=log,
            environment={**os.environ, **made.environment, **told},
        )
        return log

    def stop(self, deployment: str) -> None:
        """Kill the Pod of a Deployment."""
        self._plane.ledger.stop(deployment, grace_s=0)

    def route(self, service: str, port: int) -> None:
        """Have the API server find a Service's Pod at `port` of this machine."""
        here: Tree = {"type": "ExternalName", "externalName": LOOPBACK}
        spec = {"spec": {**here, "clusterIP": None, "clusterIPs": None}}
        own = ("-n", self._namespace)
        self._plane.kubectl(
            "patch", "service", service, *own, "-p", json.dumps(spec)
        ).check()
        sort = "validatingwebhookconfiguration"
        webhooks = self._get(sort, service)["webhooks"]
        path = "/webhooks/{}/clientConfig/service/port"
        changes = [
            {"op": "replace", "path": path.format(index), "value": port}
            for index, _ in enumerate(webhooks)
        ]
        self._plane.kubectl(*_PATCH, json.dumps(changes), sort, service).check()

    def helm_test(self, release: str, pod: str) -> tuple[Result, str]:
        """Run ``helm test``, and its Pod; return its result and what the Pod said."""
        with ThreadPoolExecutor() as pool:
            testing = pool.submit(
                self._plane.helm,
                *("test", release, "-n", self._namespace, "--timeout=60s"),
            )
            until(lambda: "" if self._waits(pod) else "none", what=f"the Pod {pod}")
            said = self._play(pod)
            return testing.result(), said

    def _play(self, name: str) -> str:
        """Run a Pod to its end, and tell the API server how it went."""
        pod = self._get("pod", name)
        made = process(
            {"spec": {"template": pod}}, self._folder / name, secrets=self._held()
        )
        user = self._user(pod["spec"]["serviceAccountName"])
        done = subprocess.run(
            made.command,
            env={**os.environ, **made.environment, "KUBECONFIG": str(user)},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        phase = "Failed" if done.returncode else "Succeeded"
        status = json.dumps({"status": {"phase": phase}})
        own = ("-n", self._namespace, "--subresource=status")
        self._plane.kubectl("patch", "pod", name, *own, "-p", status).check()
        return done.stdout

    def _waits(self, pod: str) -> bool:
        path = "jsonpath={.status.phase}"
        seen = self._plane.kubectl("get", "pod", pod, "-n", self._namespace, "-o", path)
        return seen.stdout == "Pending"

    def _get(self, sort: str, name: str) -> Tree:
        done = self._plane.kubectl(
            "get", sort, name, "-n", self._namespace, "-o", "json"
        )
        found: Tree = json.loads(done.check().stdout)
        return found

    def _user(self, account: str) -> Path:
        return self._plane.user(f"system:serviceaccount:{self._namespace}:{account}")

    def _held(self) -> Mapping[str, Mapping[str, bytes]]:
        done = self._plane.kubectl(
            "get", "secrets", "-n", self._namespace, "-o", "json"
        )
        return {
            one["metadata"]["name"]: {
                key: base64.b64decode(value) for key, value in one["data"].items()
            }
            for one in json.loads(done.check().stdout)["items"]
            if "data" in one
        }


def ports(count: int) -> list[int]:
    """Return ports of this machine that were free all at once."""
    return [int(url.rpartition(":")[2]) for url in free(count)]
