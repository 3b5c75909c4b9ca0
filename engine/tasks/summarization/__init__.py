"""What is said of summaries on test rows."""
