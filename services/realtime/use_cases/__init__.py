"""What one can do with performances."""
