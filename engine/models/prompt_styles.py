"""The ways in which generative models expect a prompt. Knows their names alone, so that the catalogue stays cheap to import."""

CHAT = "chat"  # a turn in the model's chat template
PLAIN = "plain"  # a text that the model continues
PREFIXED = "prefixed"  # T5's task prefix before the text
BARE = "bare"  # the text itself, for models such as BART
