"""Expenses in bulk: a sheet to fill in, read whole or not at all."""
