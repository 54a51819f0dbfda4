# What the set-up scripts share: one line for people, on stderr, and stamps that tell whether work is left to do.

say() { printf '%s\n' "· $*" >&2; }

fail() {
  printf '%s\n' "" "$@" "" >&2
  exit 1
}

# Installers name the places they download from when they fail. Those are this machine's affair.
without_addresses() { sed -E 's#(https?|file)://[^[:space:]"]*#[address]#g' >&2; }

digest() { cat "$@" | cksum | tr ' ' '-'; }

# is_stamped FILE VALUE: whether the work that FILE records was done for exactly this.
is_stamped() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }
