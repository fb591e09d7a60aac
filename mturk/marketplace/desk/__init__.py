"""The worker's side of the marketplace, without a web framework: what `mturk.marketplace.desk.work` offers."""
