"""The market of a workspace: its session, the embedded one, and the pictures workers see."""
