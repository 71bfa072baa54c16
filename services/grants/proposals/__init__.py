"""Proposals: the application to a call, its budget, its people, and the live check of both."""
