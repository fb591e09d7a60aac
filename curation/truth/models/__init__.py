"""What `auto` is made of: worker models fitted by expectation and maximisation."""
