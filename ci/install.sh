#!/bin/sh
# Installs countersign of this checkout into the folder $1, every package by its hash.
# uv comes by the hashes of uv.txt, dependencies by those of uv.lock, and what builds the
# package itself by those of build.txt; so the commit that a workflow pins pins them all.
# It starts in a checkout of what is judged: nothing there is to be taken for Python's own
# or for a setting, so Python is isolated (-I), and all else runs in this checkout.
set -eu
mkdir -p "${1:?expected a folder}"
to=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here"
python3 -I -m venv "$to/uv"
"$to/uv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: \
  --require-hashes --requirement "$here/ci/uv.txt"
UV_BUILD_CONSTRAINT="$here/ci/build.txt" UV_PROJECT_ENVIRONMENT="$to/venv" \
  "$to/uv/bin/uv" sync --quiet --frozen --no-default-groups --no-editable --project "$here"
