"""OpenLineage events of a job: what it reads and writes, and which column comes from which. See docs/lineage.md."""
