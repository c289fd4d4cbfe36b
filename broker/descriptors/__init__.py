"""What the .proto files say: sources, one private pool for each backend, comments, options."""
