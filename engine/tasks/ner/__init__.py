"""What is special to judging a tagger: entities counted strictly and leniently, kinds of errors, what memory alone finds."""
