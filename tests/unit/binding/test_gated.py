"""Fields that a server may drop in silence: each is one, and is found wherever it is."""

from countersign.binding.gated import GATED, gated
from countersign.binding.tables import TYPES
from tests.support.trees import deployment, pod, tree


def test_each_is_a_field_of_its_type() -> None:
    """By the server's own tables."""
    assert {(name, key) for name, key in GATED if key not in TYPES[name]} == set()


def test_is_found_however_deep() -> None:
    """In lists and below; with the gate's name and its first minor."""
    rules = [{"action": "Restart"}]
    found = [*gated(deployment(restartPolicyRules=rules, env=[{"name": "a"}]))]
    container = "/spec/template/spec/containers/0"

    assert found == [(f"{container}/restartPolicyRules", "ContainerRestartRules", 35)]
    assert [*gated(pod(hostnameOverride="x"))] == [
        ("/spec/hostnameOverride", "HostnameOverride", 35)
    ]
    assert [*gated(pod(unknown={"hostnameOverride": "x"}))] == []
    assert [*gated(tree("Widget", "shop.example/v1"))] == []


def test_what_is_below_a_field_may_have_a_gate_of_its_own() -> None:
    """A server that keeps the one drops the other."""
    trust = {"name": "b", "path": "b", "user": 1}
    sources = [{"clusterTrustBundle": trust}, {"podCertificate": {"user": 1}}]
    volumes = [{"name": "v", "projected": {"sources": sources}}]
    where = "/spec/volumes/0/projected/sources"
    user = "AtomicWriteVolumeUserFields"

    assert [*gated(pod(volumes=volumes))] == [
        (f"{where}/0/clusterTrustBundle", "ClusterTrustBundleProjection", 37),
        (f"{where}/0/clusterTrustBundle/user", user, None),
        (f"{where}/1/podCertificate", "PodCertificateRequest", 37),
        (f"{where}/1/podCertificate/user", user, None),
    ]
