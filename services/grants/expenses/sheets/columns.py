"""The columns of the sheet of expenses: what stands in each."""

from typing import Final

from services.grants.cells import Column

COLUMNS: Final = (
    Column("kind", "비목", "Use", "choice", True, "회의비", "세부 비목의 이름 또는 코드입니다."),
    Column("fund", "재원", "Source", "choice", True, "정부지원금", "세 가지 재원입니다."),
    Column("amount_won", "금액(원)", "Amount", "won", True, "250000", "부가세 포함.", least=1),
    Column("vat_won", "부가세(원)", "VAT", "won", False, "22727", "금액에 포함된 부가세입니다."),
    Column("purpose", "내용", "Purpose", "text", True, "교육위원회 회의", "", 500, width=30),
    Column("payee_name", "거래처", "Payee", "text", True, "가람식당", "", width=20),
    Column("payee_brn", "사업자번호", "Business number", "brn", False, "9998100015", "10자리."),
    Column("payee_account", "계좌", "Account", "text", False, "", "받는 계좌입니다.", 60),
    Column("obligated_on", "원인행위일", "Obligated on", "day", False, "2020-06-10", "YYYY-MM-DD."),
    Column("paid_on", "지급일", "Paid on", "day", False, "2020-06-10", "YYYY-MM-DD."),
    Column("line", "예산 줄", "Plan line", "count", False, "", "예산표의 줄 번호.", least=1),
    Column("person", "참여인력", "Person", "text", False, "", "인력 번호 또는 외부인.", 40),
    Column("payee", "지급대상", "Paid to", "choice", False, "", "개인 또는 기관."),
    Column("heads", "인원", "Heads", "count", False, "", "한 건으로 지급한 인원입니다.", least=1),
    Column("event", "회의·행사", "Event", "text", False, "교육위원회 1차", "행사의 이름."),
    Column("deposit", "입금번호", "Deposit", "text", False, "", "", 100),
    Column("start", "시작일", "From", "day", False, "", "일하거나 출장한 첫날."),
    Column("end", "종료일", "To", "day", False, "", "마지막 날."),
    Column("rate", "참여율(%)", "Rate", "rate", False, "", "소수 첫째 자리까지."),
    Column("hours", "시간", "Hours", "count", False, "", "강의·자문 시간.", least=1),
    Column("fare_won", "운임(원)", "Fare", "won", False, "", "출장의 운임. 적으면 출장입니다."),
    Column("trip", "국외출장 계획", "Planned trip", "text", False, "", "계획서의 출장 이름.", 40),
    Column("approved_on", "출장 승인일", "Approved on", "day", False, "", ""),
    Column("asset", "장비·시설", "Asset", "text", False, "", "계획서의 장비 번호.", 40),
    Column("unit_price_won", "단가(원)", "Unit price", "won", False, "", ""),
    Column("arrived_on", "입고일", "Arrived on", "day", False, "", ""),
    Column("used_on", "활용일", "Used on", "day", False, "", ""),
    Column("facts", "확인사항", "Facts", "facts", False, "", "쉼표로 나눕니다.", width=24),
)
