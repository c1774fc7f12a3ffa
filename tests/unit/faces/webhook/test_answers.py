"""What the API server is told of a verdict."""

from countersign.core.types.artifacts import ObjectRef
from countersign.core.types.request import (
    AdmissionRequest,
    Requester,
    Resource,
    Verb,
)
from countersign.core.types.verdict import Expected, Finding, Reason, Verdict
from countersign.faces.webhook.words import answer


def test_an_access_is_denied_about_the_pod() -> None:
    """Not about the options that the server shows in its place."""
    pod = ObjectRef("", "Pod", "payments", "ledger-1")
    request = AdmissionRequest(
        uid="1",
        verb=Verb.CONNECT,
        resource=Resource("", "v1", "pods", "exec"),
        ref=ObjectRef("", "PodExecOptions", "payments", "ledger-1"),
        version="v1",
        object={},
        old=None,
        options=None,
        requester=Requester("lee"),
    )
    facts = Expected("", "connect exec")
    finding = Finding(
        policy="payments", reason=Reason.SUBRESOURCE, about=pod, facts=facts
    )

    said = answer(request, Verdict.of((), (finding,)), cluster="local")

    assert said.message.startswith("payments/Pod/ledger-1: ")
