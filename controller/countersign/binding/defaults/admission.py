"""Defaults of the group admissionregistration.k8s.io.

The webhooks of v1beta1, which had others, are not served any more.

Source:
    pkg/apis/admissionregistration/{v1,v1beta1,v1alpha1}/defaults.go
"""

from countersign.binding.defaults.registry import default_of, scalars_of
from countersign.binding.tree import Struct

_V1, _BETA, _ALPHA = (
    f"admissionregistration/{version}." for version in ("v1", "v1beta1", "v1alpha1")
)


@default_of(*(f"{version}MatchResources" for version in (_V1, _BETA, _ALPHA)))
def matching(form: Struct) -> None:
    """SetDefaults_MatchResources: an empty selector is all, an absent one too."""
    form.setdefault("matchPolicy", "Equivalent")
    form.setdefault("namespaceSelector", {})
    form.setdefault("objectSelector", {})


@default_of(f"{_V1}ValidatingWebhook")
def webhook(form: Struct) -> None:
    """SetDefaults_ValidatingWebhook."""
    form.setdefault("failurePolicy", "Fail")
    form.setdefault("timeoutSeconds", 10)
    matching(form)


@default_of(f"{_V1}MutatingWebhook")
def mutating_webhook(form: Struct) -> None:
    """SetDefaults_MutatingWebhook."""
    webhook(form)
    form.setdefault("reinvocationPolicy", "Never")


# SetDefaults_Rule, of the rules of webhooks and policies
scalars_of(f"{_V1}RuleWithOperations", scope="*")
for _version in (_V1, _BETA, _ALPHA):
    scalars_of(f"{_version}NamedRuleWithOperations", scope="*")

# SetDefaults_ServiceReference
scalars_of(f"{_V1}ServiceReference", port=443)

# SetDefaults_ValidatingAdmissionPolicySpec, SetDefaults_MutatingAdmissionPolicySpec
scalars_of(f"{_V1}ValidatingAdmissionPolicySpec", failurePolicy="Fail")
for _version in (_V1, _BETA, _ALPHA):
    scalars_of(f"{_version}MutatingAdmissionPolicySpec", failurePolicy="Fail")

# SetDefaults_ParamRef, in v1alpha1 alone
scalars_of(f"{_ALPHA}ParamRef", parameterNotFoundAction="Deny")
