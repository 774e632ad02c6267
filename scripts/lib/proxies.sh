# shellcheck shell=bash
# The proxies that docs/proxies has configurations for, from Debian's packages, and what gives each of them a network of its
# own. Sourced after common.sh.

proxies_missing() {
  local program missing=()
  for program in nginx caddy haproxy apache2; do
    PATH=$PATH:/usr/sbin command -v "$program" >/dev/null || missing+=("$program")
  done
  [ -e /usr/share/lua/5.3/socket/http.lua ] || missing+=(lua-socket)
  PATH=$PATH:/usr/sbin:/sbin command -v ip >/dev/null || missing+=(iproute2)
  command -v unshare >/dev/null || missing+=(util-linux)
  printf '%s\n' "${missing[@]}"
}

proxies_install() {
  local missing failed='' policy=/usr/sbin/policy-rc.d
  mapfile -t missing < <(proxies_missing | sed '/^$/d')
  [ ${#missing[@]} != 0 ] || return 0
  # Debian's packages would start their servers at once and at every boot; nobody asked for those.
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
    (apt_install 'proxies to be tested behind' "${missing[@]}") || failed=yes
    as_root rm -f "$policy"
  else
    (apt_install 'proxies to be tested behind' "${missing[@]}") || failed=yes
  fi
  if [ -n "$failed" ]; then exit 1; fi
  local package
  for package in "${missing[@]}"; do
    case $package in
      nginx | caddy | haproxy | apache2) quietly as_root systemctl disable "$package" 2>/dev/null || true ;;
    esac
  done
}
