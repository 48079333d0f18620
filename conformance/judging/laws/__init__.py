"""Statistical tests of random samples against laws."""
