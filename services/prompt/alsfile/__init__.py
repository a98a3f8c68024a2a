"""Reading `.als` files: the reader starts a bounded child process, the rest runs inside it and needs the standard library alone."""
