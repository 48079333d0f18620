"""The commands of the command line, one module each. They import other folders only when they run."""
