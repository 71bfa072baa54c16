"""Notifications: companies and universities hear of every move of their orders."""
