"""Facts and rules of performances."""
