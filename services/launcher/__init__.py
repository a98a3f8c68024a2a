"""One command that starts every process of the platform on one machine, and ends them all."""
