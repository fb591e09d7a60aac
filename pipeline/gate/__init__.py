"""Before people see pictures: looking at them, what is held back, and what the requester says of it."""
