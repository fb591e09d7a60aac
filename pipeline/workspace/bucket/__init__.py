"""A workspace's faces in an S3 bucket beside the folder: uploaded once, fetched where a command needs them."""
