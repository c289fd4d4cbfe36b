"""Offers gRPC services as tools to language models, from their .proto alone."""
