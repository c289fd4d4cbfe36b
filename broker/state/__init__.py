"""What must outlive a request or a process: runs that wait for somebody's decision."""
