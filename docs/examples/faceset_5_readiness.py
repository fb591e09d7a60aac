"""Is a faceset enough to train on?

Judged by itself, and by what another clip's faces need: poses, light, expressions.
"""

# Names: read_view FacesetView assess Readiness Thresholds

from pathlib import Path

from galloway.curation.faceset import Thresholds, assess, read_view

found = assess(read_view(Path("faces")), clip=read_view(Path("faces"), pixels=False), thresholds=Thresholds(enough=5))
print(found.state)
for check in found.checks:
    print(check.state, check.name, check.found, check.advice)
