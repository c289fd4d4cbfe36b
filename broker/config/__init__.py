"""broker.yaml → frozen settings: data only, nothing here makes a connection."""
