"""What the vectors say, worked out again from the spec's pages: nothing here reads the reference or the generator."""
