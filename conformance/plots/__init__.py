"""Pictures of what a run found, drawn from its report alone."""
