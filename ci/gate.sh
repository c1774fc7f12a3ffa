#!/bin/sh
# The gate in any CI system: attests a range, where one is given, and judges manifests.
# Told by the environment, lists one a line:
#   COUNTERSIGN_MANIFESTS  files, folders, patterns; rendered         (needed)
#   COUNTERSIGN_CLUSTER    for which they are                         (needed)
#   COUNTERSIGN_POLICIES   folder of policies; without, the kubeconfig's cluster
#   COUNTERSIGN_NAMESPACE  of manifests that name none
#   COUNTERSIGN_EVIDENCE   files with BundleSets that are there already
#   COUNTERSIGN_RANGE      commits to attest first, such as origin/main..HEAD
#   COUNTERSIGN_IMAGES     REF@DIGEST built of its end
#   COUNTERSIGN_REPORTS    folder for what is written; countersign-reports
#   COUNTERSIGN_STRICT     true: warnings fail, too
# Exits as `countersign gate` does: 0 admitted, 10 denied, 11 warnings, 1 undecided.
set -euf
: "${COUNTERSIGN_MANIFESTS:?expected manifests, one a line}"
: "${COUNTERSIGN_CLUSTER:?expected the name of a cluster}"
reports=${COUNTERSIGN_REPORTS:-countersign-reports}
# what the change brought there is no report of ours, and its links lead anywhere
part=${reports#"$PWD/"}
while case $part in /* | .) false ;; esac; do
  part=${part%/}
  if [ -L "$part" ]; then rm -f -- "$part"; fi
  part=$(dirname -- "$part")
done
for name in ${COUNTERSIGN_RANGE:+evidence.yaml} gate.sarif gate.xml gate.json gate.md; do rm -rf -- "$reports/$name"; done
mkdir -p -- "$reports"
lines='
'
set --
if [ -n "${COUNTERSIGN_NAMESPACE:-}" ]; then set -- --namespace "$COUNTERSIGN_NAMESPACE"; fi
IFS=$lines
for file in $COUNTERSIGN_MANIFESTS; do set -- "$@" -f "$file"; done
if [ -n "${COUNTERSIGN_RANGE:-}" ]; then
  # notes of assistants, which no clone fetches by itself; without them provenance is
  # not complete, and says so
  notes='+refs/notes/*:refs/notes/*'
  if git fetch --quiet --no-recurse-submodules origin "$notes" && ! git config --get-all remote.origin.fetch | grep -qF "$notes"; then
    git config --add remote.origin.fetch "$notes"
  fi
  images=
  for image in ${COUNTERSIGN_IMAGES:-}; do images="$images--image=$image$lines"; done
  # shellcheck disable=SC2086 # cut at line ends
  if countersign attest "$COUNTERSIGN_RANGE" "$@" $images --sets-only --out "$reports/evidence.yaml"; then
    set -- "$@" -f "$reports/evidence.yaml"
  else # less evidence admits nothing more: so the reports still say what is missing
    echo "gate: $COUNTERSIGN_RANGE is not attested; judging without" >&2
  fi
fi
for file in ${COUNTERSIGN_EVIDENCE:-}; do set -- "$@" -f "$file"; done
if [ "${COUNTERSIGN_STRICT:-}" = true ]; then set -- "$@" --strict; fi
exec countersign gate "$@" \
  --sarif "$reports/gate.sarif" --junit "$reports/gate.xml" \
  --code-quality "$reports/gate.json" --comment "$reports/gate.md"
