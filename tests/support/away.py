"""A protected namespace, and what must be admitted and denied there whoever is away.

Nothing is asked whether it still works that does not show both: that the ConfigMap which
Dana signed is admitted, and that one which nobody signed is not.
"""

import asyncio
import base64
import http.client
import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign.adapters.sign.key import KeySigner
from countersign.binding.canonical import canonical, canonical_json
from countersign.binding.registration import webhook_configuration
from countersign.core.questions import DEFAULT, DEFAULT_QUESTIONS
from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.change import Base, ObjectChange, Operation
from countersign.core.types.evidence import Answer, AnswerVerdict, Result, SignOff
from countersign.core.types.time import Interval
from countersign.wire.resources.bundleset import render_bundle_set
from countersign.wire.signoff import render_sign_off
from tests.support import resources as stored
from tests.support.apiserver import ApiServer, Refused
from tests.support.lines import events
from tests.support.serving import Serving
from tests.support.webhook import body
from tools.controlplane import ControlPlane
from tools.stack.ready import until

SPACE, CLUSTER, USER = "away", "test", "countersign-serve"
SIGNED, UNSIGNED = "signed", "unsigned"
_ROOT = Path(__file__).parents[2]
_CLIENTS = 4  # of a load, each on a connection of its own
_OUT = (http.client.HTTPException, OSError)  # nobody answers


def config_map(name: str) -> dict[str, Any]:
    """Return a ConfigMap."""
    about = {"name": name, "namespace": SPACE}
    made = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": about}
    return {**made, "data": {"a": "b"}}


def pem_of(key: ec.EllipticCurvePrivateKey) -> str:
    """Return the public half of a key."""
    public = key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def trusted(pem: str, **more: Any) -> dict[str, Any]:
    """Return the trust root that says which key is Dana's."""
    return stored.trust_root(keys=[{"name": "dana", "pem": pem, **more}])


async def signed_by(key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """Return the BundleSet with Dana's sign-off of the ConfigMap `SIGNED`."""
    now = datetime.now(UTC)
    intent = canonical(config_map(SIGNED), namespace=SPACE)
    change = ObjectChange(
        object=ObjectRef("", "ConfigMap", SPACE, SIGNED),
        digest=intent.digest,
        operation=Operation.CREATE_OR_UPDATE,
        base=Base.ABSENT,
    )
    claim = SignOff(
        result=Result.APPROVED,
        meanings=frozenset({"review", "approval"}),
        reviewer="Dana",
        started_on=None,
        reviewed_on=now,
        clusters=frozenset({CLUSTER}),
        changes=(change,),
        question_set=(DEFAULT.uri, DEFAULT.digest),
        answers=tuple(
            Answer(one.id, AnswerVerdict.ADDRESSED, "looked at it")
            for one in DEFAULT_QUESTIONS
        ),
        validity=Interval(now - timedelta(days=2), now + timedelta(days=1)),
    )
    bundle = await KeySigner(key).sign(render_sign_off(claim))
    return render_bundle_set("s", [bundle], [canonical_json(intent.tree)], SPACE)


def plain(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object as people write it."""
    about = {k: v for k, v in tree["metadata"].items() if k in ("name", "namespace")}
    return {**tree, "metadata": about}


@dataclass
class Tally:
    """What came of requests through the API server, by the name of the object.

    Attributes:
        seen: ``admitted``, ``denied``, ``out`` or ``other``, by name.
        others: Answers that should not be there.
    """

    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    others: list[str] = field(default_factory=list)

    def more(self, than: Counter[tuple[str, str]], by: int) -> str:
        """Tell what is missing of `by` further right verdicts of each sort."""
        wanted = ((SIGNED, "admitted"), (UNSIGNED, "denied"))
        short = {one: self.seen[one] - than[one] for one in wanted}
        return "" if min(short.values()) >= by else f"{short}, {self.others[-1:]}"

    def right(self) -> None:
        """Insist that nothing was admitted that nobody signed, or denied that Dana did."""
        assert not self.seen[UNSIGNED, "admitted"], self.seen
        assert not self.seen[SIGNED, "denied"], (self.seen, self.others[:3])


class Away:
    """A cluster whose parts can be taken away.

    Attributes:
        plane: Runs already, with our kinds and rights.
        key: Dana's.
    """

    def __init__(self, plane: ControlPlane, key: ec.EllipticCurvePrivateKey) -> None:
        self.plane = plane
        self.key = key

    @classmethod
    def founded(cls, plane: ControlPlane) -> "Away":
        """Write our kinds, rights, and rules for `SPACE` into a new cluster."""
        for file in ("crds", "roles.yaml"):
            plane.kubectl("apply", "-f", _ROOT / "manifests" / file).check()
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all").check()
        bind = ("create", "clusterrolebinding", USER, f"--clusterrole={USER}")
        plane.kubectl(*bind, f"--user={USER}").check()
        plane.create_namespace(SPACE)
        made = cls(plane, ec.generate_private_key(ec.SECP256R1()))
        with closing(ApiServer(plane.admin)) as api:
            for tree in (
                trusted(pem_of(made.key)),
                stored.roster(),
                stored.policy(
                    protect={"namespaces": [SPACE]}, preset="manual", provenance={}
                ),
                asyncio.run(signed_by(made.key)),
            ):
                api.create(plain(tree))
        return made

    @contextmanager
    def instead(self, tree: Mapping[str, Any]) -> Iterator[None]:
        """Have another object in the place of one of ours for a while.

        Nobody is asked about it: it may be one that was there before the webhook.
        """
        name = f"{tree['kind'].lower()}/{tree['metadata']['name']}"
        kept = json.loads(self.plane.kubectl("get", name, "-o", "json").check().stdout)
        webhook = ("delete", "validatingwebhookconfiguration", "--all")
        self.plane.kubectl(*webhook).check()
        for one in (tree, kept):
            sent = {**plain(one), "spec": one["spec"]}
            self.plane.kubectl("replace", "-f", "-", stdin=sent).check()
            if one is tree:
                yield

    def register(self, served: Serving) -> None:
        """Have the API server ask a replica about `SPACE`; return when it does."""
        ca = base64.b64encode(served.authority).decode()
        tree = webhook_configuration(
            name="countersign-away",
            protected=(SPACE,),
            own_namespace="countersign",
            client_config={"url": f"{served.url}/validate", "caBundle": ca},
        )
        self.plane.kubectl("apply", "-f", "-", stdin=tree).check()
        with closing(ApiServer(self.plane.admin)) as api:

            def otherwise() -> str:
                said = asked(api, UNSIGNED)
                return "" if said.startswith("denied") else said

            until(otherwise, what="a denial")

    @contextmanager
    def load(self) -> Iterator[Tally]:
        """Ask for both ConfigMaps through the API server all the while, dry."""
        tally, over = Tally(), threading.Event()

        def ask() -> None:
            api = ApiServer(self.plane.admin)
            while not over.is_set():
                for name in (SIGNED, UNSIGNED):
                    said = asked(api, name)
                    word = said.partition(":")[0]
                    tally.seen[name, word] += 1
                    if word == "other" or (name, word) == (SIGNED, "denied"):
                        tally.others.append(said)
                    if word == "out":
                        api.close()
                        over.wait(0.02)
            api.close()

        threads = [threading.Thread(target=ask) for _ in range(_CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield tally
        finally:
            over.set()
            for thread in threads:
                thread.join()

    @contextmanager
    def changed(self, tree: Mapping[str, Any]) -> Iterator[None]:
        """Write an object of ours for a while, as soon as the API server can."""
        name = f"{tree['kind'].lower()}/{tree['metadata']['name']}"

        def refused() -> str:
            made = self.plane.kubectl("apply", "-f", "-", stdin=plain(tree))
            return made.stderr if made.code else ""

        until(refused, what=name)
        try:
            yield
        finally:
            self.plane.kubectl("delete", name).check()

    def freeze(self, name: str) -> None:
        """Stop a server where it stands, its connections open."""
        os.kill(self._pid(name), signal.SIGSTOP)

    def thaw(self, name: str) -> None:
        """Let it go on."""
        with suppress(StopIteration):
            os.kill(self._pid(name), signal.SIGCONT)

    def _pid(self, name: str) -> int:
        return next(one.pid for one in self.plane.ledger.entries if one.name == name)


def asked(api: ApiServer, name: str) -> str:
    """Ask the API server for a ConfigMap, dry; return a word and why, as in `Tally`."""
    try:
        api.create(config_map(name), dryRun="All")
    except Refused as error:
        said = str(error)
        word = "denied" if "denied the request" in said else "other"
        return f"{word}: {said}"
    except _OUT as error:
        return f"out: {error}"
    return "admitted:"


def judged(served: Serving, name: str, space: str = SPACE) -> str:
    """Ask a replica itself; return why it denies a ConfigMap, or nothing."""
    tree = config_map(name)
    tree["metadata"]["namespace"] = space
    sent = body(object=tree, name=name, namespace=space, dryRun=True)
    status, text = served.request("POST", "/validate", sent)
    assert status == 200, text
    answer = json.loads(text)["response"]
    return "" if answer["allowed"] else str(answer["status"]["message"])


def tells(served: Serving, name: str, word: str) -> None:
    """Wait until a replica denies a ConfigMap in words that hold `word`; "": admits."""

    def otherwise() -> str:
        said = judged(served, name)
        return "" if (word in said if word else not said) else said or "admitted"

    until(otherwise, what=f"{name}: {word or 'admitted'}")


class Log:
    """What a replica says from here on, or said at all, without its verdicts."""

    def __init__(self, served: Serving, *, whole: bool = False) -> None:
        self._file = served.log
        self._start = 0 if whole else events(served.log)[1]

    def lines(self) -> list[dict[str, Any]]:
        """Return them."""
        found = events(self._file, self._start)[0]
        return [one for one in found if one["event"] != "admission_reviewed"]

    def names(self) -> list[str]:
        """Return their events."""
        return [str(one["event"]) for one in self.lines()]

    def unsettled(self) -> str:
        """Tell whether an outage is not over yet."""
        seen = self.names()
        begun, over = seen.count("api_server_away"), seen.count("api_server_back")
        return "" if begun == over else f"{begun} outages, {over} over"

    def unready(self) -> str:
        """Tell whether its last word is not that it is ready."""
        seen = [name for name in self.names() if name in ("ready", "not_ready")]
        return "" if seen[-1:] == ["ready"] else f"saw {seen}"

    def becomes(self, *names: str) -> None:
        """Wait until it said exactly these, in whatever order."""

        def otherwise() -> str:
            seen = sorted(self.names())
            return "" if seen == sorted(names) else f"saw {self.lines()}"

        until(otherwise, what=f"{names} in {self._file}")
