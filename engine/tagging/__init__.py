"""Entities as tags: words of a text, the tokens that stand for them, and from tags back to exact places in the text."""
