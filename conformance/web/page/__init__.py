"""The HTML report: one file that needs nothing else, drawn from the JSON report and the spec's own texts."""
