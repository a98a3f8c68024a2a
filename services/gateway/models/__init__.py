"""The shapes of JSON bodies, one module per proto package, made from the protos by `tools/openapi.py`."""
