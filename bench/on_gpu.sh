#!/bin/sh
# The real faceswap and the embedded engine on a CUDA machine: same clips, same minutes, the table of bench.swap.
#
#   GALLOWAY_FACESWAP_HOME=… GALLOWAY_FACESWAP_PYTHON=… bench/on_gpu.sh A.mp4 B.mp4 [MINUTES]
#
# Run it from the checkout with the environment in which Galloway is installed (PYTHON names another interpreter).
# MINUTES is the training time of each engine, 2 unless told. All of it ends after ten minutes, whatever is done by then.
# Exit codes: 0 done, 2 usage, 3 no CUDA card here, 124 out of time.
set -eu

if [ $# -lt 2 ]; then
  echo "Usage: bench/on_gpu.sh A.mp4 B.mp4 [MINUTES]" >&2
  exit 2
fi
if ! command -v nvidia-smi >/dev/null 2>&1 || ! nvidia-smi -L 2>/dev/null | grep -q GPU; then
  echo "No CUDA card is here (nvidia-smi names none); nothing was measured. Run it where one is." >&2
  exit 3
fi
PYTHON=${PYTHON:-python}
nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader
"$PYTHON" -c "
import tensorflow as tf
cards = tf.config.list_physical_devices('GPU')
print('embedded engine:', cards or 'no GPU in this TensorFlow (tensorflow-cpu is installed): it trains on the CPU')
"
if [ -z "${GALLOWAY_FACESWAP_HOME:-}" ]; then
  echo "GALLOWAY_FACESWAP_HOME is not set: faceswap is left out of the table." >&2
fi
export FACESWAP_BACKEND="${FACESWAP_BACKEND:-nvidia}"
status=0
timeout 600 "$PYTHON" -m bench.swap --pair "$1" "$2" --minutes "${3:-2}" || status=$?
if [ "$status" -eq 124 ]; then
  echo "Ten minutes are over before the table was whole. Give fewer minutes or a shorter clip." >&2
fi
exit "$status"
