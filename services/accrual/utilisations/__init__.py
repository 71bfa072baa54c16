"""Spending mileage as bonus points in a programme (M-050)."""
