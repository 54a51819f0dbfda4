# Chromium for the browser tests: from PATH, else by apt where we may. Without it those tests say that they are left
# out; in continuous integration its absence is a failure.

browser_on_path() {
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null
}

# Runs a command as root where that takes no password.
as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

set_up_browser() {
  if browser_on_path; then return; fi
  if command -v apt-get >/dev/null && as_root true 2>/dev/null; then
    say "installing Chromium for the browser tests"
    { as_root apt-get -qq update && as_root env DEBIAN_FRONTEND=noninteractive apt-get -qqy install chromium; } \
      >/dev/null 2> >(without_addresses) || true
    if browser_on_path; then return; fi
  fi
  if [ "${CI:-}" = true ]; then fail "Chromium is needed by the browser tests and could not be installed."; fi
  say "no Chromium here: the browser tests will be left out (install chromium or google-chrome to have them)"
}
