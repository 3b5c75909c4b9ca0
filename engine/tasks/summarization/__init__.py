"""Summarization: spec, model, metrics and report."""
