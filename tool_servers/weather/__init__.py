"""The weather of the world's cities as a gRPC service."""
