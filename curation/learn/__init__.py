"""A model per set and question, taught by people's answers: it is asked where it pays, and audited."""
