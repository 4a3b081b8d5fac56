"""From symptoms to incidents: fingerprint, grouping along lineage, intake, lifecycle."""
