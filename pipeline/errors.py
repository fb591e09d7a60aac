"""The error tree of the pipeline.

PipelineError
├── WorkspaceError     no workspace here, or one that cannot be used
│   ├── WorkspaceBusy  another command is changing it just now
│   └── UnclaimedWorkspace  a copy of another workspace, until somebody says what it is
├── NothingToDo        the step has nothing left to do (exit code 3)
├── SafetyStop         a budget, price or approval gate said no (exit code 4)
│   └── NotApproved    training or converting on a faceset that is not approved or has changed
└── StageError         a step failed; the message names the cause and the command to run next
"""

__all__ = [
    "NotApproved",
    "NothingToDo",
    "PipelineError",
    "SafetyStop",
    "StageError",
    "UnclaimedWorkspace",
    "WorkspaceBusy",
    "WorkspaceError",
]


class PipelineError(Exception):
    """Root of everything that `pipeline` raises on purpose. `lines`: the message, and what stands below it."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class WorkspaceError(PipelineError):
    """There is no workspace here, or it cannot be used."""


class WorkspaceBusy(WorkspaceError):
    """Another command is changing the workspace just now."""


class UnclaimedWorkspace(WorkspaceError):
    """The workspace is a copy of another one, or may be one."""


class NothingToDo(PipelineError):
    """The step has nothing left to do."""


class SafetyStop(PipelineError):
    """A budget, price or approval gate said no."""


class NotApproved(SafetyStop):
    """Training or converting on a faceset that is not approved, or that changed since."""


class StageError(PipelineError):
    """A step failed; where several things failed, a line for each."""
