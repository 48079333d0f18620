"""A site of static pages drawn from several reports: a framework's history, a table of who keeps what, the spec."""
