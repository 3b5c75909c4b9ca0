"""What is special to judging answers: the official definitions of exact match and F1, baselines, and the parts of the report."""
