"""Uploaded sheets, opened safely: workbooks (.xlsx) and delimited text as grids of cells."""
