"""What people see: the live view, the report, logs and metrics."""
