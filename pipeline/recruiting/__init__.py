"""People from a panel for the work of this workspace: studies, their people, and paying them."""
