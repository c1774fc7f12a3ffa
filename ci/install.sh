#!/bin/sh
# Installs countersign of this checkout into the folder $1, every package by its hash.
# uv comes by the hashes of uv.txt, dependencies by those of uv.lock, and what builds the
# package itself by those of build.txt; so the commit that a workflow pins pins them all.
set -eu
to=${1:?expected a folder}
here=$(cd "$(dirname "$0")/.." && pwd)
python3 -m venv "$to/uv"
"$to/uv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: \
  --require-hashes --requirement "$here/ci/uv.txt"
UV_BUILD_CONSTRAINT="$here/ci/build.txt" UV_PROJECT_ENVIRONMENT="$to/venv" \
  "$to/uv/bin/uv" sync --quiet --frozen --no-default-groups --no-editable --project "$here"
