"""Who may call what, where the method's name does not say it."""

from __future__ import annotations

from chassis.context import Role
from chassis.runtime import MethodRule

MESSAGE_BYTES = 17 << 20
_DOCUMENT, _BATCH = 11 << 20, 16 << 20
_READS = (
    "MatchFiles",
    "CheckReadiness",
    "PreflightTrainingFile",
    "DiffTrainingFileVersions",
    "LintTrainingFile",
)

METHOD_RULES: dict[str, MethodRule] = {
    **{method: MethodRule(role=Role.VIEWER) for method in _READS},
    "CreateConversation": MethodRule(max_request_bytes=_DOCUMENT),
    "EmulateTraining": MethodRule(role=Role.VIEWER, max_request_bytes=_BATCH),
    "ValidateConversation": MethodRule(role=Role.VIEWER, max_request_bytes=_DOCUMENT),
    "BatchCreateConversations": MethodRule(max_request_bytes=_BATCH),
    "ReceiveTrainingWebhook": MethodRule(scope="platform"),
    **{f"DatasetsService/{method}": MethodRule(operator=True) for method in ("ListJobs", "RetryJob", "CancelJob")},
}
