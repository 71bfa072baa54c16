"""Letters other services send to the people of an institution: they have the words, we the
addresses."""
