"""What can go wrong when a partner system pushes rows."""

from shared.problems import FindingKind, Problem

ROW_MALFORMED = FindingKind(
    "ROW_MALFORMED",
    "{line}번째 줄을 읽을 수 없습니다: {reason}",
    "Line {line} cannot be read: {reason}",
)
EXTERNAL_ID_REUSED = FindingKind(
    "EXTERNAL_ID_REUSED",
    "external_id '{external_id}'이(가) 다른 내용으로 이미 접수되었습니다.",
    "The external_id '{external_id}' was received before with other content.",
)
ROW_HELD_BACK = FindingKind(
    "ROW_HELD_BACK",
    "같은 계약의 다른 행에 오류가 있어 접수하지 않았습니다.",
    "Another row of the same contract has an error, so this one was not taken either.",
    rule="M-033",
)
EVIDENCE_UNKNOWN = FindingKind(
    "EVIDENCE_UNKNOWN",
    "올린 적이 없는 증빙입니다({id}).",
    "No such evidence was uploaded ({id}).",
    rule="M-010",
)


class BatchConflict(Problem):
    """The same external_id, other content or settings; give `batch_id=`."""

    status, code = 409, "BATCH_CONFLICT"
    ko = "같은 external_id의 묶음이 다른 내용으로 이미 접수되었습니다."
    en = "A batch with this external_id and other content was received before."


class BatchEmpty(Problem):
    status, code = 422, "NO_ROWS"
    ko, en = "보낸 행이 없습니다.", "There are no rows."


class BatchTooLong(Problem):
    status, code = 422, "TOO_MANY_ROWS"
    ko = "한 번에 {limit:,}행까지 보낼 수 있습니다."
    en = "At most {limit:,} rows can be sent at once."


class BatchUnreadable(Problem):
    status, code = 422, "BATCH_UNREADABLE"
    ko = "본문을 읽을 수 없습니다. NDJSON이나 행의 JSON 배열을 보내세요."
    en = "The body cannot be read. Send NDJSON, or a JSON array of rows."


class SandboxOnly(Problem):
    status, code = 403, "SANDBOX_ONLY"
    ko, en = "시험 환경에서만 할 수 있습니다.", "This is possible in the sandbox only."
