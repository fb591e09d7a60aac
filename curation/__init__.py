"""The label side: faces, votes, truth, facesets. Knows no AWS and no HIT."""
