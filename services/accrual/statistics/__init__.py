"""The yearly survey and its figures (M-060); who has posted mileage (M-061)."""
