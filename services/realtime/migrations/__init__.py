"""Revisions of the realtime schema."""
