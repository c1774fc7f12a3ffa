"""Defaults of the group rbac.authorization.k8s.io.

Source:
    pkg/apis/rbac/v1/defaults.go
"""

from countersign.binding.defaults.registry import default_of, scalars_of
from countersign.binding.tree import Struct

_GROUP = "rbac.authorization.k8s.io"


@default_of("rbac/v1.Subject")
def subject(form: Struct) -> None:
    """SetDefaults_Subject; a ServiceAccount's group is the empty one."""
    if form.get("kind") in ("User", "Group"):
        form.setdefault("apiGroup", _GROUP)


# SetDefaults_RoleBinding and SetDefaults_ClusterRoleBinding
scalars_of("rbac/v1.RoleRef", apiGroup=_GROUP)
