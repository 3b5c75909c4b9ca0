"""A task that only the tests know: a classifier that shouts its label."""
