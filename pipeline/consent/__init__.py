"""What people agreed to: a record a person, a receipt for them, and what their faces went into."""
