"""Performances: loops of audio that are repainted just ahead of their playhead."""
