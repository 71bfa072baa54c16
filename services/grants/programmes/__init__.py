"""Programmes: calls, their rule sets and the catalogue of what institutions can apply to."""
