"""The embedded stand-in for a model: rule-based, and it says so."""
