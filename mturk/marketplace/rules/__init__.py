"""What Mechanical Turk's objects may do: pure functions of values, without Flask, SQL, clock or network."""
