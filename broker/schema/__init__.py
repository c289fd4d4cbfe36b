"""A protobuf message seen as JSON: its schema, JSON → message (decode) and message → JSON (encode)."""
