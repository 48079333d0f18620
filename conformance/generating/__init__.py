"""The generator of vector files: cases in, expected values and bounds out."""
