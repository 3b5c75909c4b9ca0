"""What is special to judging a classifier: counts per class, confusion, calibration, and the remarks made from them."""
