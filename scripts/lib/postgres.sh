# shellcheck shell=bash
# A private PostgreSQL cluster for one run: in a directory of its own, on a unix socket only, gone afterwards.
# Sourced after common.sh. The caller's exit trap calls postgres_stop.

postgres_bin= # the folder of the newest server's programs
postgres_dir= # data, socket and log of the cluster that runs

postgres_find() {
  local initdb
  initdb=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
  initdb=${initdb:-$(command -v initdb || true)}
  [ -n "$initdb" ] || return 1
  postgres_bin=$(dirname "$initdb")
}

postgres_install() {
  postgres_find && return
  # Debian's package would create and start a cluster for the whole machine; nobody asked for that one.
  local failed='' no_cluster=/etc/postgresql-common/createcluster.d/tollgate-test.conf
  as_root mkdir -p "$(dirname "$no_cluster")"
  echo 'create_main_cluster = false' | as_root tee "$no_cluster" >/dev/null
  (apt_install 'the PostgreSQL server' postgresql) || failed=yes
  as_root rm -f "$no_cluster" # only for our installation, not for later ones
  if [ -n "$failed" ]; then exit 1; fi
  postgres_find || fail 'the PostgreSQL server is still missing after its installation'
}

# PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    (cd / && exec runuser -u postgres -- "$@")
  else
    "$@"
  fi
}

# Starts the cluster and exports TOLLGATE_TEST_POSTGRES, its URL.
postgres_start() {
  # A socket's path holds about 100 characters, so TMPDIR may be too long. /var/tmp is short, and a disk even where /tmp is
  # memory: what we measure and what we kill must be durable.
  postgres_dir=$(mktemp -d /var/tmp/tollgate-test-XXXXXX)
  if [ "$(id -u)" = 0 ]; then chown postgres: "$postgres_dir"; fi
  local log=$postgres_dir/log
  as_postgres "$postgres_bin/initdb" --pgdata="$postgres_dir/data" --username=tollgate --auth=trust \
    --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$log.init" 2>&1 ||
    { cat "$log.init" >&2; fail 'PostgreSQL could not create its cluster'; }
  cat >>"$postgres_dir/data/postgresql.conf" <<EOF
listen_addresses = '' # no TCP
unix_socket_directories = '$postgres_dir'
port = 5432 # only names the socket; said here so that PGPORT cannot change it
max_connections = 300
EOF
  as_postgres "$postgres_bin/pg_ctl" --pgdata="$postgres_dir/data" --log="$log" --wait --silent start >/dev/null ||
    { cat "$log" >&2; fail 'PostgreSQL did not start'; }
  as_postgres "$postgres_bin/createdb" --host="$postgres_dir" --port=5432 --username=tollgate tollgate ||
    fail 'PostgreSQL could not create the database'
  export TOLLGATE_TEST_POSTGRES="postgres://tollgate@${postgres_dir//\//%2F}/tollgate"
}

# Safe to call at any moment, also when nothing runs.
postgres_stop() {
  [ -n "$postgres_dir" ] || return 0
  if [ -e "$postgres_dir/data/postmaster.pid" ]; then
    # Immediate: the data goes too, so there is nothing to flush.
    as_postgres "$postgres_bin/pg_ctl" --pgdata="$postgres_dir/data" --mode=immediate --wait --silent stop >/dev/null || true
  fi
  rm -rf "$postgres_dir"
  postgres_dir=
}
