"""The HTML report and the site."""
