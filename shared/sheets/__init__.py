"""Sheets, opened safely (.xlsx and delimited text as grids of cells) and written line by line."""
