"""The tests. As many processes run them as there are cores, so none of them spreads its matrices over all cores.

Beside another process that takes far longer than on one core (eigenfaces of forty faces: 20 s for 1). What tests start
inherits it. It is said here because NumPy and TensorFlow look when they are first imported.
"""

import os

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(_threads, "1")
