"""A stand-in for both lines of faceswap: their switches, words, signals and files, without their learning."""
