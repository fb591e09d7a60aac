"""An MTurk-compatible marketplace with a worker site of its own. Imports nothing else of mturk."""
