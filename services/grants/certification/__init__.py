"""Certification of excellent institutions (M-061): apply, be judged, be certified, stay known."""
