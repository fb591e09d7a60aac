"""What happens to HITs and assignments, step by step inside a transaction. No wire format, no Flask."""
