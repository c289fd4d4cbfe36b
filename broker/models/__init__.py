"""Language models that the loop can drive."""
