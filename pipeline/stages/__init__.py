"""The steps of the work, in order: ingest, extract, ask, publish, collect, decide, report, merge, train, convert.

Each is a function of an `App`; each can be killed at any instant and run again, and running it twice changes nothing.
"""
