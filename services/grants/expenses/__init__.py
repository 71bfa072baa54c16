"""Expenses: what is spent, its evidence, and the settlement rules applied before and after."""
