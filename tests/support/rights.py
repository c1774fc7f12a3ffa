"""What somebody may do, as the API server itself says; as ``kubectl auth can-i``, soon."""

from tests.support.apiserver import ApiServer

_PATH = "/apis/authorization.k8s.io/v1/subjectaccessreviews"


def may(
    api: ApiServer, user: str, verb: str, resource: str, namespace: str = ""
) -> bool:
    """Tell whether `user` may.

    Args:
        api: Asked as one who may ask about others.
        user: With no group but that of everybody who is known.
        verb: As in a role.
        resource: ``PLURAL[.GROUP][/NAME]``.
        namespace: ``""``: all of them.
    """
    sort, _, name = resource.partition("/")
    plural, _, group = sort.partition(".")
    about = {
        "verb": verb,
        "group": group,
        "resource": plural,
        "name": name,
        "namespace": namespace,
    }
    spec = {
        "user": user,
        "groups": ["system:authenticated"],
        "resourceAttributes": about,
    }
    answer = api.request(
        "POST",
        _PATH,
        {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": spec,
        },
    )
    return bool(answer["status"]["allowed"])
