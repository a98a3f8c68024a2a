"""Demucs models that the operator mounts; only `engine` needs torch."""
