"""Reading `.als` files: the reader starts a bounded child; the rest runs inside it on the standard library alone."""
