"""Plain data that the layers above share: calls, answers, verdicts, results and reports."""
