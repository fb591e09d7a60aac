"""Frames and faces spread over workers: processes of this machine, or a Dask cluster."""
