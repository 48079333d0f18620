"""A run: vectors sent to workers, answers judged, results saved as they arrive."""
