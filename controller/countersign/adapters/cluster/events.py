"""Events, for people who look at an object with kubectl.

Each has a name made of what it says, so that a process that begins anew tells nothing
twice. They are noise to the gate (rule 21), and hints: nothing rests on them.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from countersign.adapters.cluster.source import NotThere, segment
from countersign.adapters.cluster.written import Creator
from countersign.core.errors import Rejected
from countersign.core.types.artifacts import ObjectRef, Tree

_GROUP = "events.k8s.io/v1"
_CLUSTER_SPACE = "default"  # of events about what has no namespace, as client-go writes
_MAX_NOTE = 1024  # bytes, of which the server takes as many
_REPORTER = "countersign.dev/operate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to an object.

    Attributes:
        about: Which.
        version: Of its kind; ``""``: not known.
        uid: Its; ``""``: not known.
        reason: One word in CamelCase.
        note: For people.
        once: Told once for each of these, besides what the others say.
    """

    about: ObjectRef
    version: str
    uid: str
    reason: str
    note: str
    once: str = ""


class Events:
    """Writes events.

    Args:
        server: The API server.
        instance: Which process we are.
    """

    def __init__(self, server: Creator, instance: str) -> None:
        self._server = server
        self._instance = instance[:128]

    async def tell(self, event: Event, at: datetime) -> bool:
        """Write an event; tell whether it is new.

        Raises:
            Rejected: the API server refuses it.
            Unavailable: it did not answer.
        """
        space = event.about.namespace or _CLUSTER_SPACE
        path = f"/apis/{_GROUP}/namespaces/{segment(space)}/events"
        tree = self._tree(event, space, at)
        try:
            await self._server.create(path, tree)
        except NotThere:
            return False  # the namespace has gone
        except Rejected:
            if await self._is_there(path, tree):
                return False
            raise
        return True

    async def _is_there(self, path: str, tree: Tree) -> bool:
        about = tree["metadata"]
        assert isinstance(about, dict)  # noqa: S101 - made here
        try:
            await self._server.get(f"{path}/{about['name']}")
        except NotThere:
            return False
        return True

    def _tree(self, event: Event, space: str, at: datetime) -> Tree:
        about = event.about
        group = f"{about.group}/" if about.group else ""
        said = (str(about), event.uid, event.reason, event.once or event.note)
        mark = hashlib.sha256("\0".join(said).encode()).hexdigest()[:16]
        regarding: Tree = {
            "apiVersion": f"{group}{event.version or 'v1'}",
            "kind": about.kind,
            "namespace": about.namespace,
            "name": about.name,
            "uid": event.uid,
        }
        return {
            "apiVersion": _GROUP,
            "kind": "Event",
            "metadata": {"name": f"countersign-{mark}", "namespace": space},
            "eventTime": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "reportingController": _REPORTER,
            "reportingInstance": self._instance,
            "type": "Warning",
            "reason": event.reason,
            "action": "Verify",
            "regarding": {name: value for name, value in regarding.items() if value},
            "note": event.note.encode()[:_MAX_NOTE].decode(errors="ignore"),
        }
