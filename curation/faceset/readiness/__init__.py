"""Is a faceset enough to train on? Values, checks, a page and its picture."""
