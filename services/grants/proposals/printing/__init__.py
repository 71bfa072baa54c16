"""The whole proposal as pages, in the form's own order, of a draft or of a submitted version."""
