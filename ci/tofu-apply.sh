#!/bin/sh
# Applies a plan of OpenTofu or Terraform, if the gate admits it: what is judged is what
# is applied. The plan is copied to a private folder first, and shown, judged and applied
# from that copy, so that nobody can change it between. Run it where the stack is, after
# `init`. All but these is told by the environment:
#   $1  the plan that `plan -out` wrote, with the code in it          (needed)
# What follows it goes to `countersign gate`: files that were signed (-f), reports.
#   COUNTERSIGN_PLAN       what the plan is called                   (needed)
#   COUNTERSIGN_NAMESPACE  that protects the stack                   (needed)
#   COUNTERSIGN_CLUSTER    the estate it is for                      (needed)
#   COUNTERSIGN_POLICIES   folder of policies; without, the kubeconfig's cluster
#   COUNTERSIGN_TOFU       the program: tofu, or terraform; tofu
# Exits as `countersign gate` does where it does not admit the plan, and then nothing was
# applied: 10 denied, 11 warnings, 1 undecided; else as the program does.
set -euf
plan=${1:?expected a plan that was saved}
shift
: "${COUNTERSIGN_PLAN:?expected what the plan is called}"
: "${COUNTERSIGN_NAMESPACE:?expected the namespace that protects the stack}"
: "${COUNTERSIGN_CLUSTER:?expected the name of the estate}"
tofu=${COUNTERSIGN_TOFU:-tofu}
umask 077
private=$(mktemp -d)
trap 'rm -rf "$private"' EXIT
trap 'exit 1' HUP INT TERM
cat -- "$plan" >"$private/plan"
chmod 400 "$private/plan"
"$tofu" show -json "$private/plan" >"$private/plan.json"
countersign gate "$@" --plan "$COUNTERSIGN_PLAN=$private/plan.json" \
  --saved-plan "$COUNTERSIGN_PLAN=$private/plan" \
  --namespace "$COUNTERSIGN_NAMESPACE" --cluster "$COUNTERSIGN_CLUSTER" || {
  code=$?
  echo "in a command above, $private/plan is a copy of $plan, and gone:" \
    "write $plan, and for its JSON what \`$tofu show -json $plan\` prints" >&2
  exit "$code"
}
"$tofu" apply -input=false "$private/plan"
