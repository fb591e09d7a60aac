"""Every operation by its name in the service model."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import (
    account,
    assignments,
    creation,
    hits,
    notices,
    qualifications,
    requests,
    workers,
)
from .base import Operation

__all__ = ["OPERATIONS"]

_WRITES = {
    "AcceptQualificationRequest": requests.accept,
    "ApproveAssignment": assignments.approve,
    "AssociateQualificationWithWorker": requests.associate,
    "CreateAdditionalAssignmentsForHIT": hits.create_additional_assignments,
    "CreateHIT": creation.create_hit,
    "CreateHITType": creation.create_hit_type,
    "CreateHITWithHITType": creation.create_hit_with_hit_type,
    "CreateQualificationType": qualifications.create,
    "CreateWorkerBlock": workers.block,
    "DeleteHIT": hits.delete,
    "DeleteQualificationType": qualifications.delete,
    "DeleteWorkerBlock": workers.unblock,
    "DisassociateQualificationFromWorker": requests.disassociate,
    "NotifyWorkers": workers.notify,
    "RejectAssignment": assignments.reject,
    "RejectQualificationRequest": requests.reject,
    "SendBonus": assignments.send_bonus,
    "UpdateExpirationForHIT": hits.update_expiration,
    "UpdateHITReviewStatus": hits.update_review_status,
    "UpdateHITTypeOfHIT": creation.update_hit_type,
    "UpdateNotificationSettings": notices.update_settings,
    "UpdateQualificationType": qualifications.update,
}
_READS = {
    "GetAccountBalance": account.get_balance,
    "GetAssignment": assignments.get,
    "GetFileUploadURL": assignments.get_file_upload_url,
    "GetHIT": hits.get,
    "GetQualificationScore": requests.get_score,
    "GetQualificationType": qualifications.get,
    "ListAssignmentsForHIT": assignments.list_for_hit,
    "ListBonusPayments": assignments.list_bonuses,
    "ListHITs": hits.list_all,
    "ListHITsForQualificationType": hits.list_for_qualification_type,
    "ListQualificationRequests": requests.list_pending,
    "ListQualificationTypes": qualifications.list_types,
    "ListReviewPolicyResultsForHIT": hits.list_review_results,
    "ListReviewableHITs": hits.list_reviewable,
    "ListWorkerBlocks": workers.list_blocks,
    "ListWorkersWithQualificationType": requests.list_workers,
}
_TOGETHER = frozenset({"ApproveAssignment", "CreateHIT", "CreateHITWithHITType", "RejectAssignment"})
"""What is called by the thousand: it locks the rows that it changes, in the order that `Tx` names."""

OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        **{name: Operation(run, writes=True, together=name in _TOGETHER) for name, run in _WRITES.items()},
        **{name: Operation(run, writes=False) for name, run in _READS.items()},
        "SendTestEventNotification": Operation(notices.send_test_event, writes=False, sends=True),
    }
)
