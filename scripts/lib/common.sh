# shellcheck shell=bash
# What the scripts share: plain words, a clear end, and Debian packages. Sourced.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=$repo/.cache

say() { printf '%s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    command -v sudo >/dev/null || fail "this needs root or sudo: $*"
    sudo "$@"
  fi
}

# quietly COMMAND…: shows what a command said only when it fails.
quietly() {
  local output
  output=$("$@" 2>&1) || { printf '%s\n' "$output" >&2; return 1; }
}

# apt_install WHAT PACKAGE…: installs Debian packages; WHAT tells people what for.
apt_install() {
  local what=$1
  shift
  command -v apt-get >/dev/null || fail "$what is missing, and there is no apt-get to install it with; install it and run this again"
  say "Installing $what (Debian packages: $*)"
  # A fresh machine has no package lists yet, and old lists name versions that are gone.
  quietly as_root apt-get -qq update || fail 'apt-get could not update its package lists'
  quietly as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends "$@" ||
    fail "apt-get could not install $what"
}
