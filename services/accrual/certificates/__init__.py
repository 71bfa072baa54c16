"""Certificates of an institution's mileage on a day, and their public verification (M-052)."""
