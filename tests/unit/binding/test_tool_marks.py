"""What Argo CD and Flux leave on what they apply, where a policy names them."""

import pytest

from countersign.binding.besides import Besides
from countersign.binding.match import match
from countersign.core.types.doors import Tools
from tests.support.trees import Tree, having, ref, tree

ARGO = "/metadata/annotations/argocd.argoproj.io~1"
TRACKED = ARGO + "tracking-id"
HERE = "shop:/ConfigMap:here/it"
KUSTOMIZE = "/metadata/labels/kustomize.toolkit.fluxcd.io~1"


def config(**metadata: object) -> Tree:
    """Return a ConfigMap ``here/it``."""
    return tree("ConfigMap", data={"a": "b"}, metadata=metadata)


def differ(seen: Tree, tools: Tools, wanted: Tree | None = None) -> bool:
    """Tell whether `seen` is more than what was signed."""
    besides = Besides(tools=tools)
    return bool(match(wanted or config(), seen, identity=ref(seen), besides=besides))


@pytest.mark.parametrize("application", ["shop", "argocd_shop", "a.b-c"])
def test_argo_cd_tracks_this_object(application: str) -> None:
    """By its own ids, and only where the policy names Argo CD."""
    seen = having(config(), TRACKED, HERE.replace("shop", application))

    assert not differ(seen, Tools(argocd=""))
    assert differ(seen, Tools())
    assert differ(seen, Tools(helm=True, flux=True))


@pytest.mark.parametrize(
    "mark",
    [
        "shop:/ConfigMap:here/other",
        "shop:/ConfigMap:there/it",
        "shop:/Secret:here/it",
        "shop:apps/ConfigMap:here/it",
        "shop:/ConfigMap:here/it/x",
        "shop:/ConfigMap:it",
        ":/ConfigMap:here/it",
        "a b:/ConfigMap:here/it",
        "anything",
    ],
)
def test_a_mark_of_another_object_is_a_difference(mark: str) -> None:
    """Free text in an annotation may be behaviour."""
    assert differ(having(config(), TRACKED, mark), Tools(argocd=""))


def test_an_object_of_a_group_is_tracked_by_it() -> None:
    """The core group is empty."""
    wanted = tree("NetworkPolicy", "networking.k8s.io/v1", spec={"podSelector": {}})
    mark = "shop:networking.k8s.io/NetworkPolicy:here/it"

    assert not differ(having(wanted, TRACKED, mark), Tools(argocd=""), wanted)


def test_an_installation_has_its_own_id_or_none() -> None:
    """The one that the policy names."""
    seen = having(config(), ARGO + "installation-id", "blue")

    assert not differ(seen, Tools(argocd="blue"))
    assert differ(seen, Tools(argocd="green"))
    assert differ(seen, Tools(argocd=""))


def test_what_the_intent_says_stays() -> None:
    """A mark that was signed is not another one."""
    signed = having(config(), TRACKED, "mine")
    assert differ(having(config(), TRACKED, HERE), Tools(argocd=""), signed)
    labelled = having(config(), KUSTOMIZE + "name", "mine")
    other = having(config(), KUSTOMIZE + "name", "apps")
    assert differ(other, Tools(flux=True), labelled)


@pytest.mark.parametrize("controller", ["kustomize", "helm"])
def test_flux_labels_what_it_applies(controller: str) -> None:
    """With a name and a namespace, and only where the policy names Flux."""
    path = KUSTOMIZE.replace("kustomize", controller)
    seen = having(having(config(), path + "name", "apps"), path + "namespace", "flux")

    assert not differ(seen, Tools(flux=True))
    assert differ(seen, Tools(helm=True, argocd=""))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (KUSTOMIZE + "name", "A_B"),
        (KUSTOMIZE + "other", "apps"),
        ("/metadata/labels/app.kubernetes.io~1instance", "apps"),
    ],
)
def test_no_other_label_passes(key: str, value: str) -> None:
    """Labels are selected by."""
    seen = having(config(), key, value)

    assert differ(seen, Tools(helm=True, argocd="", flux=True))


def test_several_policies_let_be_what_all_of_them_let() -> None:
    """For what is proposed to be signed once for all of them."""
    one, other = Tools(helm=True, argocd="a"), Tools(helm=True, argocd="b", flux=True)

    assert Tools.all_of([one, other]) == Tools(helm=True)
    assert Tools.all_of([one, one]) == one
