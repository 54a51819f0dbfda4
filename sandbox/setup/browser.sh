# Chromium for the browser tests: from PATH, else installed with apt if permitted. Without it those tests are skipped
# with a message; in continuous integration its absence is a failure.

browser_on_path() {
  command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null
}

# Runs a command as root if no password is needed.
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
  say "no Chromium found: the browser tests will be skipped (install chromium or google-chrome to run them)"
}
