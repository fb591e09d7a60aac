"""The embedded engine: detector, landmarks and an autoencoder from the package index."""
