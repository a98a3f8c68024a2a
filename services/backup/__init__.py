"""Copies and verifies object stores; no service, a command in every image."""
