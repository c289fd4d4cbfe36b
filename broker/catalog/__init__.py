"""Which methods are tools, what they are called, and what may happen around a call."""
