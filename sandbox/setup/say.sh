# Shared by the set-up scripts: messages on stderr, and stamps that record what is already installed.

say() { printf '%s\n' "· $*" >&2; }

fail() {
  printf '%s\n' "" "$@" "" >&2
  exit 1
}

interrupted() {
  trap - INT TERM
  printf '%s\n' "" "Set-up was interrupted. Completed steps are kept: the same command goes on from here." "" >&2
  exit 130
}

# Removes URLs from installers' error messages: they may name private package indexes.
without_addresses() { sed -E 's#(https?|file)://[^[:space:]"]*#[address]#g' >&2; }

digest() { cat "$@" | cksum | tr ' ' '-'; }

# is_stamped FILE VALUE: whether FILE records that the work was done for exactly this value.
is_stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

megabytes() { du -sm "$1" 2>/dev/null | cut -f 1; }

# installing WHAT FOLDER MEGABYTES COMMAND...: runs the command, which fills the folder, and shows its progress.
# On a terminal one line is updated; elsewhere one line is printed at the start and one at the end.
installing() {
  local what=$1 folder=$2 expected=$3 watcher="" started=$SECONDS
  shift 3
  say "$what, about $expected MB"
  if [ -t 2 ]; then
    watch_folder "$what" "$folder" "$expected" &
    watcher=$!
    trap 'kill "$watcher" 2>/dev/null; interrupted' INT TERM
  fi
  "$@" || { end_watching "$watcher"; return 1; }
  end_watching "$watcher"
  say "$what: done, $(megabytes "$folder") MB in $((SECONDS - started)) s"
}

watch_folder() {
  while :; do
    printf '\r· %s: %s of about %s MB ' "$1" "$(megabytes "$2")" "$3" >&2
    sleep 1
  done
}

end_watching() {
  if [ -z "$1" ]; then return; fi
  kill "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  trap interrupted INT TERM
  printf '\r\033[K' >&2
}
