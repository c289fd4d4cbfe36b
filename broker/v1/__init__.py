"""The broker's own API and annotations, generated from protos/broker/v1."""
