"""The site of several reports."""
