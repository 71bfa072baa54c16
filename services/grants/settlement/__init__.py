"""Settlement: findings of a year's spending, decisions, objections, recovery and return."""
