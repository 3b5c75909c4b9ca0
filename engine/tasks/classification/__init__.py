"""What is special to judging a classifier: counts per class, confusion, calibration, and the insights made from them."""
