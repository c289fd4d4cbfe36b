"""What may happen around a call, one small file each."""
