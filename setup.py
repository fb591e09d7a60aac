"""Maps the repository's top folders under one installed name: `curation/` is `galloway.curation`, and so on.

Everything else about the package stands in setup.cfg. Other packages of the index install top-level names like
`pipeline` and `templates`; one name of our own overwrites nobody's files.
"""

from setuptools import find_namespace_packages, setup

ROOMS = find_namespace_packages(include=["curation*", "mturk*", "pipeline*", "templates*"])

setup(
    packages=["galloway", *(f"galloway.{room}" for room in ROOMS)],
    package_dir={"galloway": "galloway", **{f"galloway.{room}": room.replace(".", "/") for room in ROOMS}},
)
