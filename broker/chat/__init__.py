"""The loop: the model is asked, its tool calls are made, until it answers."""
