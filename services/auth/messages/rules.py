"""Pure rules of messages: their channels, and the texts we send."""

from dataclasses import dataclass
from enum import StrEnum


class Channel(StrEnum):
    EMAIL = "email"
    SMS = "sms"


class FactorChange(StrEnum):
    PASSKEY_ADDED = "passkey_added"
    PASSKEY_REMOVED = "passkey_removed"
    APP_ADDED = "app_added"
    APP_REMOVED = "app_removed"


@dataclass(frozen=True, slots=True)
class Message:
    channel: Channel
    recipient: str
    subject: str
    text: str


def activation_letter(
    recipient: str, *, login_id: str, institution: str, link: str, hours: int
) -> Message:
    return Message(
        Channel.EMAIL,
        recipient,
        "[산학협력 마일리지] 계정을 사용할 수 있습니다",
        f"{institution} 담당자님께\n\n"
        f"산학협력 마일리지 계정({login_id})이 준비되었습니다. 아래 주소에서 비밀번호를 정하면 "
        f"바로 사용할 수 있습니다. 주소는 한 번만, {hours}시간 동안 쓸 수 있습니다.\n\n"
        f"{link}\n\n"
        "--\n"
        f"Your account {login_id} is ready. Choose a password at the address above. "
        f"It works once, within {hours} hours.\n",
    )


def reset_letter(recipient: str, *, login_id: str, link: str, minutes: int) -> Message:
    return Message(
        Channel.EMAIL,
        recipient,
        "[산학협력 마일리지] 비밀번호 다시 정하기",
        f"계정 {login_id}의 비밀번호를 다시 정하려면 아래 주소를 여십시오. "
        f"주소는 한 번만, {minutes}분 동안 쓸 수 있습니다.\n\n"
        f"{link}\n\n"
        "요청하지 않으셨다면 이 메일을 무시하십시오. 지금 비밀번호는 그대로입니다.\n\n"
        "--\n"
        f"To choose a new password for {login_id}, open the address above within {minutes} "
        "minutes. If you did not ask for this, ignore this mail: nothing has changed.\n",
    )


def temporary_password_text(recipient: str, *, password: str, minutes: int) -> Message:
    return Message(
        Channel.SMS,
        recipient,
        "",
        f"[산학협력 마일리지] 임시 비밀번호 {password} ({minutes}분 이내, 1회). "
        "로그인 후 비밀번호를 변경하십시오.",
    )


def notice_letter(recipient: str, *, title: str, link: str) -> Message:
    return Message(
        Channel.EMAIL,
        recipient,
        f"[산학협력 마일리지] {title}",
        f"'{title}' 게시물이 등록되었습니다. 아래 주소에서 확인하십시오.\n\n"
        f"{link}\n\n"
        "이 메일은 기관 정보에 등록된 담당자께 보냈습니다. 받지 않으시려면 기관 정보에서 연락처를 "
        "변경하십시오.\n\n"
        "--\n"
        "There is a new post for your institution; please read it at the address above.\n",
    )


def service_letter(recipient: str, *, subject: str, text: str, text_en: str, link: str) -> Message:
    return Message(
        Channel.EMAIL,
        recipient,
        f"[산학협력 마일리지] {subject}",
        f"{text}\n\n{link}\n\n"
        "이 메일은 기관 정보에 등록된 담당자와 이 일을 처리하신 분께 보냈습니다. "
        "담당자가 바뀌었으면 기관 정보에서 연락처를 변경하십시오.\n\n"
        f"--\n{text_en}\n",
    )


def contact_changed_letter(recipient: str, *, login_id: str) -> Message:
    return Message(
        Channel.EMAIL,
        recipient,
        "[산학협력 마일리지] 등록된 연락처가 변경되었습니다",
        f"계정 {login_id}에 등록된 이메일 또는 휴대전화가 변경되었습니다. "
        "본인이 변경하지 않았다면 운영기관에 바로 알려 주십시오.\n\n"
        "--\n"
        f"The registered contact of {login_id} was changed. If it was not you, please tell the "
        "operator at once.\n",
    )


_CHANGES = {
    FactorChange.PASSKEY_ADDED: ("패스키가 등록되었습니다", "A passkey was added to"),
    FactorChange.PASSKEY_REMOVED: ("패스키가 삭제되었습니다", "A passkey was removed from"),
    FactorChange.APP_ADDED: ("인증 앱이 등록되었습니다", "An authenticator app was added to"),
    FactorChange.APP_REMOVED: (
        "인증 앱이 해제되었습니다",
        "An authenticator app was removed from",
    ),
}


def factor_changed_letter(recipient: str, change: FactorChange, *, login_id: str) -> Message:
    ko, en = _CHANGES[change]
    return Message(
        Channel.EMAIL,
        recipient,
        f"[산학협력 마일리지] {ko}",
        f"계정 {login_id}에서 {ko}. 본인이 하지 않았다면 비밀번호를 바로 변경하고 "
        "운영기관에 알려 주십시오.\n\n"
        "--\n"
        f"{en} the account {login_id}. If it was not you, please change your password at once and "
        "tell the operator.\n",
    )


def session_stolen_letter(recipient: str, *, login_id: str) -> Message:
    return Message(
        Channel.EMAIL,
        recipient,
        "[산학협력 마일리지] 로그인이 안전을 위해 종료되었습니다",
        f"계정 {login_id}의 로그인 정보가 두 곳에서 쓰인 것으로 보여 해당 로그인을 종료했습니다. "
        "다시 로그인하시고, 짐작 가는 일이 없다면 비밀번호를 변경하십시오.\n\n"
        "--\n"
        f"A login of {login_id} seems to have been used in two places, so we ended it. Please log "
        "in again, and change your password if this surprises you.\n",
    )
