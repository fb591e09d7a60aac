"""The retention clock: what of people goes when, said first; and what is gone."""
