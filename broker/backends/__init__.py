"""How a call reaches the service that answers it."""
