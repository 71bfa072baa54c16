"""A proposal's tables as a workbook: out, edited anywhere, back whole or not at all."""
