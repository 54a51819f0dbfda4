# Python: finds 3.13 or newer, makes .venv with it, installs the pinned requirements.

is_new_enough() {
  "$1" -c 'import ensurepip, ssl, sys, venv; sys.exit(sys.version_info < (3, 13))' >/dev/null 2>&1
}

# Candidates, best first. A pyenv shim may stand on PATH for a version that is not selected: it fails is_new_enough.
python_candidates() {
  if [ -n "${PYTHON:-}" ]; then echo "$PYTHON"; fi
  echo python3.13
  # pyenv's versions, whether or not this shell was set up for it.
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

set_up_python() {
  local wanted found
  if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 13))' >/dev/null 2>&1; then
    found=$(find_python) || python_advice
    say "making .venv with $("$found" --version)"
    rm -rf .venv
    "$found" -m venv .venv || fail "The virtual environment could not be made; see above."
  fi
  wanted=$(digest requirements.txt requirements-dev.txt)
  if is_stamped .venv/.requirements "$wanted"; then return; fi
  say "installing the pinned requirements"
  .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes \
    -r requirements.txt -r requirements-dev.txt 2> >(without_addresses) ||
    fail "The requirements could not be installed; see above."
  echo "$wanted" >.venv/.requirements
}
