# RabbitMQ with one user. Its messages only wake workers, which look at the database as well: a volume that outlived its
# Secret is emptied.
set -eu
umask 077
home=/var/lib/rabbitmq/node
mkdir -p "$home"
fingerprint=$(printf '%s' "$PASSWORD" | sha256sum)
if [ "$(cat "$home/secret" 2>/dev/null || true)" != "$fingerprint" ]; then
  rm -rf "$home/mnesia"
  printf '%s' "$fingerprint" > "$home/secret"
fi
echo "[]." > "$home/enabled_plugins"
cat > "$home/rabbitmq.conf" <<CONF
default_user = tonewright
default_pass = $PASSWORD
loopback_users = none
vm_memory_high_watermark.absolute = 256MB
disk_free_limit.absolute = 50MB
log.console = true
log.file = false
CONF
unset PASSWORD
export HOME="$home" ERL_EPMD_ADDRESS=127.0.0.1
export RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$home/rabbitmq.conf" RABBITMQ_NODENAME=rabbit@localhost
export RABBITMQ_ENABLED_PLUGINS_FILE="$home/enabled_plugins" RABBITMQ_LOG_BASE="$home/log" RABBITMQ_LOGS=-
export RABBITMQ_MNESIA_BASE="$home/mnesia" RABBITMQ_PID_FILE="$home/rabbitmq.pid"
# One scheduler that does not spin: a small server takes next to nothing of its node.
scheduler="+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none"
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} $scheduler"
# Its home is found from where it really lies.
exec "$(readlink -f "$(command -v rabbitmq-server)")"
