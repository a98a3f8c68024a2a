"""Everything about the Helm chart that can be known without a cluster: `python -m tools.chart check`, or `golden`."""
