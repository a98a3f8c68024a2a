#!/bin/sh
# install.sh PREFIX NAME: installs into PREFIX what /build/NAME.txt requires and neither the venv nor PYTHONPATH has,
# then trims it and compiles the modules of that name. Settings of pip come with the build's secrets.
set -eu
prefix=$1 name=$2
/opt/build/bin/pip --python /opt/tonewright/bin/python install -q --prefix "$prefix" \
    -c /build/constraints.txt -r "/build/$name.txt"
mkdir -p "$prefix/$(/opt/tonewright/bin/python -c 'import sys; print("lib/python%d.%d/site-packages" % sys.version_info[:2])')"
rm -rf "$prefix/share" "$prefix/include"
exec /opt/tonewright/bin/python -B /build/trim.py "$prefix" "$name"
