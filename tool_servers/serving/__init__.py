"""How the tool servers of Python are served: each is a service, and this is what stands around it."""
