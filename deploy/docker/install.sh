#!/bin/sh
# install.sh PREFIX REQUIREMENTS MODULE… : installs what the file requires and what the venv and PYTHONPATH lack into
# PREFIX, then trims it and compiles the modules. Settings of pip come with the build's secrets.
set -eu
prefix=$1 wanted=$2
shift 2
/opt/build/bin/pip --python /opt/tonewright/bin/python install -q --prefix "$prefix" -c /build/constraints.txt -r "/build/$wanted"
mkdir -p "$prefix/lib/python$(/opt/tonewright/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')/site-packages"
rm -rf "$prefix/share" "$prefix/include"
exec /opt/tonewright/bin/python -B /build/trim.py "$prefix" "$@"
