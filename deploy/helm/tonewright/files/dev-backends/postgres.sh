# PostgreSQL with one database and the two roles that the platform knows. The roles get their passwords at every start,
# so a volume that outlived its Secret is opened by the new one.
set -eu
umask 077
data=/data/postgres
if [ ! -f "$data/complete" ]; then
  rm -rf "$data"
  printf '%s' "$ADMIN_PASSWORD" > /tmp/password
  initdb --pgdata="$data" --username=tonewright_admin --pwfile=/tmp/password --auth=scram-sha-256 \
    --encoding=UTF8 --locale=C --no-sync
  rm /tmp/password
  echo "host all all all scram-sha-256" >> "$data/pg_hba.conf"
  touch "$data/complete"
fi
# A lost pod leaves its lock behind, whose process id may be taken here by another program.
rm -f "$data/postmaster.pid"
# Without a server, so that nobody connects before it is done; what is there already is an error that changes nothing.
postgres --single -D "$data" postgres > /dev/null <<SQL
CREATE ROLE tonewright_owner
CREATE ROLE tonewright_app
ALTER ROLE tonewright_owner LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '$OWNER_PASSWORD'
ALTER ROLE tonewright_app LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD '$APP_PASSWORD'
ALTER ROLE tonewright_admin PASSWORD '$ADMIN_PASSWORD'
CREATE DATABASE tonewright OWNER tonewright_owner
SQL
unset ADMIN_PASSWORD OWNER_PASSWORD APP_PASSWORD
# Kubernetes stops with SIGTERM, which waits for every client to leave: SIGINT is the fast way out.
postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories= -c max_connections=300 -c shared_buffers=64MB &
trap 'kill -INT $!' TERM INT
wait $! || wait $!
