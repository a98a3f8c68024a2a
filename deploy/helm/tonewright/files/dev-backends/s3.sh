# SeaweedFS: all of its servers in one process, which speak to each other on 127.0.0.1; S3 alone is served.
set -eu
umask 077
mkdir -p /data/weed
cat > /tmp/s3.json <<JSON
{"identities": [{"name": "tonewright", "credentials": [{"accessKey": "$ACCESS_KEY", "secretKey": "$SECRET_KEY"}],
  "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}
JSON
unset ACCESS_KEY SECRET_KEY
exec weed mini -dir=/data/weed -ip=127.0.0.1 -ip.bind=0.0.0.0 -s3.config=/tmp/s3.json -s3.port=8333 -webdav=false \
  -admin.ui=false -bucket=tonewright -s3.port.iceberg=0 -s3.port.lance=0 -master.telemetry=false
