# Python: finds 3.13 or newer, makes .venv with it, installs the pinned requirements.

is_new_enough() {
  "$1" -c 'import ensurepip, ssl, sys, venv; sys.exit(sys.version_info < (3, 13))' >/dev/null 2>&1
}

# Candidates, best first. A pyenv shim on PATH may belong to a version that is not selected: it fails is_new_enough.
python_candidates() {
  if [ -n "${PYTHON:-}" ]; then echo "$PYTHON"; fi
  echo python3.13
  # pyenv's versions, even if this shell is not configured for pyenv.
  compgen -G "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions/3.*/bin/python" | grep -E '/3\.(1[3-9]|[2-9][0-9])' || true
  if command -v uv >/dev/null; then uv python find --no-project '>=3.13' 2>/dev/null || true; fi
  echo python3.14
  echo python3
  echo python
}

find_python() {
  local candidate
  while IFS= read -r candidate; do
    if command -v "$candidate" >/dev/null && is_new_enough "$candidate"; then
      command -v "$candidate"
      return 0
    fi
  done < <(python_candidates)
  return 1
}

python_advice() {
  fail "Python 3.13 or newer is needed, with its venv module, and none was found." \
    "Any of these gives it:" \
    "  pyenv install 3.13            pyenv: github.com/pyenv/pyenv" \
    "  uv python install 3.13        uv: docs.astral.sh/uv" \
    "  apt install python3 python3-venv    Debian 13, Ubuntu 25.04 or newer" \
    "  brew install python@3.13      macOS" \
    "  python.org/downloads          everywhere" \
    "or name one: PYTHON=/path/to/python3.13 make run"
}

# What each level needs. The larger set includes the smaller one.
requirements_of() {
  echo requirements.txt requirements-sandbox.txt
  if [ "$1" != run ]; then echo requirements-dev.txt; fi
}

set_up_python() {
  local found files everything
  if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 13))' >/dev/null 2>&1; then
    found=$(find_python) || python_advice
    say "creating .venv with $("$found" --version)"
    rm -rf .venv
    "$found" -m venv .venv || fail "The virtual environment could not be created; see above."
  fi
  files=($(requirements_of "$1"))
  everything=($(requirements_of tests))
  if is_stamped .venv/.requirements "$(digest "${everything[@]}")"; then return; fi
  if is_stamped .venv/.requirements "$(digest "${files[@]}")"; then return; fi
  installing "installing Python packages" .venv "$(if [ "$1" = run ]; then echo 90; else echo 360; fi)" \
    install_requirements "${files[@]}" || fail "The requirements could not be installed; see above."
  digest "${files[@]}" >.venv/.requirements
}

# Uses uv from PATH, else uv from PyPI, installed temporarily, else pip. pip also works where uv does not: behind an
# index or a proxy that only pip's configuration describes fully.
install_requirements() {
  local uv scratch=.venv/.uv words=()
  for file in "$@"; do words+=(-r "$file"); done
  rm -rf "$scratch"
  uv=$(command -v uv || fetched_uv "$scratch" || true)
  if [ -n "$uv" ] && with_uv "$uv" "${words[@]}"; then
    rm -rf "$scratch"
    return 0
  fi
  rm -rf "$scratch"
  .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes "${words[@]}" \
    2> >(without_addresses)
}

fetched_uv() {
  .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes --no-compile --target "$1" \
    -r sandbox/setup/requirements-uv.txt >/dev/null 2>&1 && echo "$1/bin/uv"
}

with_uv() {
  local uv=$1
  shift
  (
    eval "$(.venv/bin/python sandbox/setup/uv_settings.py)"
    "$uv" pip install --quiet --python .venv/bin/python --require-hashes "$@" >/dev/null 2>&1
  )
}
