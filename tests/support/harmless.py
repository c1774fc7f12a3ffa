"""What a cluster does all day beside the gate, which must let it."""

from tests.support.apiserver import MERGE_PATCH
from tests.support.widest import (
    API,
    APPROVED,
    LEASE,
    OF_US,
    OURS,
    POD,
    REPORTS,
    SYSTEM,
    TOKEN,
    Attack,
    case,
    named,
    report,
)
from tools.stack.chart import OWN_NAMESPACE as OWN

_OPERATOR = f"system:serviceaccount:{OWN}:countersign-operate"
HONEST = [
    case("a token", Attack("POST", f"{SYSTEM}/serviceaccounts/other/token", TOKEN)),
    case("a Pod", Attack("POST", f"{SYSTEM}/pods", named("it", spec=POD))),
    case("a Secret", Attack("POST", f"{SYSTEM}/secrets", named("it"))),
    case(
        "a registration of others",
        Attack("POST", f"{API}/validatingwebhookconfigurations", named("others")),
    ),
    case(
        "a namespace of others",
        Attack(
            "PATCH",
            "/api/v1/namespaces/default",
            {"metadata": {"labels": {"a": "b"}}},
            MERGE_PATCH,
        ),
    ),
    case(
        "evidence in our namespace",
        Attack("DELETE", f"/apis/countersign.dev/v1alpha1/namespaces/{OWN}/bundlesets"),
    ),
    case("another's Lease", Attack("POST", LEASE, named("others"))),
    case("another's report", Attack("POST", REPORTS, report("others"))),
    case(
        "a network plugin notes what it did",
        Attack(
            "PATCH",
            f"{OURS}/pods/serve/status",
            {"metadata": {"annotations": {"cni": "done"}}},
            MERGE_PATCH,
        ),
    ),
    case(
        "a volume driver",
        Attack(
            "PATCH",
            f"{OURS}/persistentvolumeclaims/audit",
            {"metadata": {"annotations": {"driver": "done"}}},
            MERGE_PATCH,
            user="system:serviceaccount:kube-system:ebs-csi-controller-sa",
        ),
    ),
    case(
        "a node asks for the token of a Pod",
        Attack(
            "POST",
            f"{OURS}/serviceaccounts/countersign-operate/token",
            TOKEN,
            group="system:nodes",
        ),
    ),
    case(
        "the root certificates are published",
        Attack(
            "PATCH",
            f"{OURS}/configmaps/kube-root-ca.crt",
            {"data": {"ca.crt": "new"}},
            MERGE_PATCH,
            user="system:serviceaccount:kube-system:root-ca-cert-publisher",
        ),
    ),
    case(
        "the operator reports",
        Attack("POST", REPORTS, report("a", **OF_US), user=_OPERATOR),
    ),
    case(
        "the operator renews a certificate",
        Attack(
            "POST",
            f"{OURS}/secrets",
            named("countersign-tls-renewed"),
            user=_OPERATOR,
        ),
    ),
    case(
        "a certificate of a node",
        Attack(
            "PATCH",
            "/apis/certificates.k8s.io/v1/certificatesigningrequests/node/approval",
            APPROVED,
            MERGE_PATCH,
        ),
    ),
]
