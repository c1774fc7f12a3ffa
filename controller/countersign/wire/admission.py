"""AdmissionReview: bytes to a request, and an answer to bytes.

Source: k8s.io/api/admission/v1. Unknown fields are ignored: newer servers add some.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictStr,
    ValidationError,
)

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import ObjectRef, Tree
from countersign.core.types.request import AdmissionRequest, Requester, Resource, Verb

API_VERSION = "admission.k8s.io/v1"
KIND = "AdmissionReview"
MAX_UID = 253  # characters; the server sends a UUID
_FORBIDDEN = 403  # what an admission plugin of the server itself answers


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _GroupVersionKind(_Part):
    group: StrictStr = ""
    version: StrictStr
    kind: StrictStr


class _GroupVersionResource(_Part):
    group: StrictStr = ""
    version: StrictStr
    resource: StrictStr


class _UserInfo(_Part):
    username: StrictStr = ""
    uid: StrictStr = ""
    groups: tuple[StrictStr, ...] | None = None


class _Request(_Part):
    uid: StrictStr = Field(min_length=1, max_length=MAX_UID)
    kind: _GroupVersionKind
    resource: _GroupVersionResource
    subresource: StrictStr = Field(default="", alias="subResource")
    name: StrictStr = ""
    namespace: StrictStr = ""
    operation: Verb
    user: _UserInfo = Field(alias="userInfo")
    new: dict[str, Any] | None = Field(default=None, alias="object")
    old: dict[str, Any] | None = Field(default=None, alias="oldObject")
    options: dict[str, Any] | None = None
    dry_run: StrictBool | None = Field(default=None, alias="dryRun")


class _Review(_Part):
    api_version: Literal["admission.k8s.io/v1"] = Field(alias="apiVersion")
    kind: Literal["AdmissionReview"]
    request: _Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server is told.

    Attributes:
        uid: Of the request.
        allowed: The judgement.
        message: Why not; the requester reads it.
        warnings: Shown to the requester; the server cuts each at 256 characters.
        annotations: For the cluster's audit log; keys without prefix.
    """

    uid: str
    allowed: bool
    message: str = ""
    warnings: tuple[str, ...] = ()
    annotations: Mapping[str, str] = field(default_factory=dict)


def parse_review(body: bytes) -> AdmissionRequest:
    """Read the request of an AdmissionReview.

    Raises:
        Malformed: no JSON, no AdmissionReview of v1, or no request in it.
    """
    try:
        review = _Review.model_validate(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise Malformed(f"expected an AdmissionReview, saw no JSON: {error}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise Malformed(
            f"expected an AdmissionReview of {API_VERSION}: {where}: {first['msg']}"
        ) from error
    return _value(review.request)


def _value(request: _Request) -> AdmissionRequest:
    shown = request.old if request.operation is Verb.DELETE else request.new
    named, generated = _names(shown)
    return AdmissionRequest(
        uid=request.uid,
        verb=request.operation,
        resource=Resource(
            request.resource.group,
            request.resource.version,
            request.resource.resource,
            request.subresource,
        ),
        ref=ObjectRef(
            group=request.kind.group,
            kind=request.kind.kind,
            namespace=request.namespace,
            name=request.name or named,  # a deletecollection names none
            generate_name=generated,
        ),
        version=request.kind.version,
        object=request.new,
        old=request.old,
        options=request.options,
        requester=Requester(
            request.user.username,
            request.user.uid,
            frozenset(request.user.groups or ()),
        ),
        dry_run=bool(request.dry_run),
    )


def _names(tree: Tree | None) -> tuple[str, str]:
    metadata = (tree or {}).get("metadata")
    if not isinstance(metadata, dict):
        return "", ""
    name, prefix = metadata.get("name"), metadata.get("generateName")
    return (
        name if isinstance(name, str) else "",
        prefix if isinstance(prefix, str) else "",
    )


def render_review(answer: Answer) -> bytes:
    """Write the AdmissionReview that answers."""
    response: dict[str, object] = {"uid": answer.uid, "allowed": answer.allowed}
    if not answer.allowed:
        response["status"] = {
            "status": "Failure",
            "code": _FORBIDDEN,
            "reason": "Forbidden",
            "message": answer.message,
        }
    if answer.warnings:
        response["warnings"] = list(answer.warnings)
    if answer.annotations:
        response["auditAnnotations"] = dict(answer.annotations)
    return orjson.dumps({"apiVersion": API_VERSION, "kind": KIND, "response": response})
