"""The criteria: the seven fields and how they earn mileage, versioned."""
