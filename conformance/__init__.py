"""The harness: generate, load, run, compare, diagnose, report, and the command line."""
