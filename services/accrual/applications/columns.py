"""The columns of each field's sheet (M-011): keys, headers and how their cells are read.

Keys are the names in JSON and in the criteria; headers are what stands in the first line of a
sheet. The sheet of 2021 had no money column though the rule of 2022 needs one; its other columns
are kept under their names.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from typing import Literal

from services.accrual.applications import cells
from services.accrual.applications.cells import Value
from shared.sheets.cells import Cell, Fault
from shared.sheets.typed import folded

Parser = Callable[[Cell], Value | Fault]

_BRACKETED = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Choice:
    """A word a column accepts: its code, the word in both languages, and other spellings."""

    code: str
    ko: str
    en: str
    spellings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a sheet. `minimum` is for won, `limit` (characters) for text.

    `example` is the cell of the template's example row, `hint` a sentence on what to enter.
    """

    key: str
    ko: str
    en: str
    type: Literal["text", "brn", "date", "year", "hours", "won", "choice"]
    example: str = ""
    hint: str = ""
    required: bool = True
    width: int = 14
    aliases: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    minimum: int = 1
    limit: int = 100
    words: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        words = {
            folded(word): choice.code
            for choice in self.choices
            for word in (choice.code, choice.ko, choice.en, *choice.spellings)
        }
        object.__setattr__(self, "words", words)

    @property
    def headers(self) -> frozenset[str]:
        """Every header this column goes by, as `header_key` reduces them."""
        return frozenset(map(header_key, (self.key, self.ko, self.en, *self.aliases)))

    def parser(self, today: date) -> Parser:
        """The function that makes this column's cells into values."""
        match self.type:
            case "text":
                return partial(cells.text, limit=self.limit)
            case "brn":
                return cells.brn
            case "date":
                return cells.day
            case "year":
                return partial(cells.year, latest=today.year)
            case "hours":
                return cells.hours
            case "won":
                return partial(cells.won, minimum=self.minimum)
            case "choice":
                return partial(cells.choice, words=self.words)


def header_key(header: str) -> str:
    """A header without what people vary: case, width, spaces, stars and remarks in brackets."""
    return folded(_BRACKETED.sub("", unicodedata.normalize("NFKC", header)))


_BRN = Column(
    "brn",
    "사업자번호",
    "Business registration number",
    "brn",
    example="1048203590",
    hint="기업의 사업자등록번호 10자리를 숫자만 입력합니다.",
    aliases=("사업자등록번호", "기업 사업자번호", "기업 사업자등록번호"),
)
_COMPANY = Column(
    "company_name",
    "기업명",
    "Company",
    "text",
    example="대한상공회의소",
    hint="사업자등록증의 상호를 입력합니다.",
    width=22,
    aliases=("업체명", "회사명", "입력기업명", "실습기관명"),
)
_AGREED = Column(
    "agreement_date",
    "협약체결일",
    "Date of agreement",
    "date",
    example="20240301",
    hint="협약 또는 계약을 체결한 날입니다(YYYYMMDD).",
    required=False,
    aliases=("협약일", "계약일", "계약체결일", "협약체결일자"),
)
_NOTE = Column(
    "note",
    "비고",
    "Note",
    "text",
    hint="검토할 때 참고할 내용이 있으면 입력합니다.",
    required=False,
    width=24,
    limit=500,
    aliases=("메모", "참고"),
)
_TRAINEE = Column(
    "trainee_name",
    "성명",
    "Name",
    "text",
    example="홍길동",
    hint="학생의 성명입니다.",
    width=10,
    limit=50,
    aliases=("이름", "학생명", "학생 성명", "실습생", "실습생명"),
)
_DEPARTMENT = Column(
    "department",
    "학(부)과",
    "Department",
    "text",
    example="경제학과",
    hint="학생의 학부 또는 학과입니다.",
    width=16,
    aliases=("학과", "학부", "전공", "소속학과"),
)
_EXCLUDED = Column(
    "excluded_won",
    "제외금액(원)",
    "Excluded amount (won)",
    "won",
    hint="회비, 정부지원금, 마일리지 할인액처럼 적립할 수 없는 금액입니다. 없으면 비워 둡니다.",
    required=False,
    minimum=0,
    aliases=("제외액", "적립제외금액"),
)
_CONTRACT_NO = Column(
    "contract_no",
    "계약번호",
    "Contract number",
    "text",
    example="2024-산학-015",
    hint="대학(산학협력단)의 계약번호입니다. 나누어 입금된 금액은 같은 번호로 입력합니다.",
    width=18,
    aliases=("과제번호", "계약 No", "협약번호"),
)
_CONTRACT_WON = Column(
    "contract_won",
    "계약금액(원)",
    "Contract amount (won)",
    "won",
    example="110000000",
    hint="이 기업이 내기로 한 계약금액의 총액을 원 단위로 입력합니다.",
    required=False,
    aliases=("총계약금액", "계약총액", "총연구비"),
)
_SUPPLY = Column(
    "supply_won",
    "공급가액(원)",
    "Supply value (won)",
    "won",
    example="100000000",
    hint="입금액 가운데 공급가액입니다.",
    required=False,
    minimum=0,
    aliases=("공급가",),
)
_VAT = Column(
    "vat_won",
    "부가세(원)",
    "VAT (won)",
    "won",
    example="10000000",
    hint="입금액에 포함된 부가가치세입니다.",
    required=False,
    minimum=0,
    aliases=("부가가치세", "VAT"),
)
_DEPOSITED_ON = Column(
    "deposit_date",
    "입금일",
    "Date of deposit",
    "date",
    example="20240415",
    hint="대학(산학협력단) 계좌에 입금된 날입니다(YYYYMMDD). 이 날부터 1년 안에 신청합니다.",
    aliases=("입금일자", "납부일", "기부일"),
)
_DEPOSIT = Column(
    "deposit_won",
    "입금액(원)",
    "Deposit (won)",
    "won",
    example="110000000",
    hint="산업체가 입금한 금액을 원 단위로 입력합니다.",
    aliases=("산업체입금액", "입금금액", "납부액", "기부금액"),
)

_STANDARD = Choice(
    "STANDARD",
    "표준",
    "Standard",
    ("표준형", "표준실습", "표준현장실습", "표준현장실습학기제", "표준형현장실습학기제"),
)
_AUTONOMOUS = Choice(
    "AUTONOMOUS", "자율", "Autonomous", ("자율형", "자율현장실습", "자율현장실습학기제")
)
_COURSES = (
    Choice(
        "CONTRACT_DEPARTMENT",
        "계약학과",
        "Contract department",
        ("조기취업형 계약학과", "채용조건형 계약학과", "재교육형 계약학과"),
    ),
    Choice("CUSTOMISED", "주문식교육과정", "Customised course", ("주문식", "주문식교육")),
    Choice("CAPSTONE", "캡스톤디자인", "Capstone design", ("캡스톤", "종합설계")),
)
_IPP = Choice("IPP", "IPP형 일학습병행", "IPP work-study", ("IPP", "일학습병행", "일학습병행제"))


def _title(ko: str, en: str, example: str, hint: str, *aliases: str) -> Column:
    return Column("title", ko, en, "text", example, hint, width=30, limit=200, aliases=aliases)


def _deposit_columns(*special: Column, contract_won_required: bool = False) -> tuple[Column, ...]:
    contract_won = replace(_CONTRACT_WON, required=contract_won_required)
    contract = (_BRN, _COMPANY, _AGREED, _CONTRACT_NO, *special, contract_won)
    return (*contract, _SUPPLY, _VAT, _DEPOSITED_ON, _DEPOSIT, _EXCLUDED, _NOTE)


PRACTICE = (
    _BRN,
    _COMPANY,
    _AGREED,
    _TRAINEE,
    _DEPARTMENT,
    Column(
        "admission_year",
        "입학년도",
        "Year of admission",
        "year",
        example="2021",
        hint="네 자리 연도입니다.",
        width=10,
        aliases=("입학연도", "입학년"),
    ),
    Column(
        "practice_type",
        "실습유형",
        "Type of practice",
        "choice",
        example="표준",
        hint="표준 현장실습학기제만 적립됩니다.",
        width=12,
        aliases=("유형", "실습구분", "현장실습유형"),
        choices=(_STANDARD, _AUTONOMOUS),
    ),
    Column(
        "hours",
        "실습시간",
        "Hours",
        "hours",
        example="320",
        hint="총 실습시간을 숫자로 입력합니다.",
        width=10,
        aliases=("시간", "총실습시간"),
    ),
    Column(
        "start_date",
        "실습시작일",
        "First day",
        "date",
        example="20240304",
        hint="실습을 시작한 날입니다(YYYYMMDD).",
        aliases=("시작일", "실습시작일자", "실습개시일"),
    ),
    Column(
        "end_date",
        "실습종료일",
        "Last day",
        "date",
        example="20240531",
        hint="실습을 마친 날입니다(YYYYMMDD). 이 날부터 1년 안에 신청합니다.",
        aliases=("종료일", "실습종료일자"),
    ),
    Column(
        "allowance_won",
        "실습지원비(원)",
        "Practice allowance (won)",
        "won",
        example="4500000",
        hint="기업이 실습 기간 전체에 지급한 총액입니다. 월 150만원씩 3개월이면 4500000입니다.",
        aliases=("지원비", "실습비", "지급액", "금액"),
    ),
    _EXCLUDED,
    _NOTE,
)
CURRICULUM = (
    _BRN,
    _COMPANY,
    _AGREED,
    Column(
        "course_type",
        "과정구분",
        "Type of course",
        "choice",
        example="캡스톤디자인",
        hint="계약학과, 주문식교육과정, 캡스톤디자인만 적립됩니다.",
        width=16,
        aliases=("구분", "과정유형", "교육과정구분"),
        choices=(*_COURSES, _IPP),
    ),
    Column(
        "course_name",
        "과정명",
        "Course",
        "text",
        example="기계공학 캡스톤디자인 I",
        hint="교육과정의 이름입니다.",
        width=26,
        aliases=("교육과정", "교육과정명", "과목명"),
    ),
    Column(
        "end_date",
        "교육종료일",
        "Last day",
        "date",
        example="20240621",
        hint="교육을 마친 날입니다(YYYYMMDD). 이 날부터 1년 안에 신청합니다.",
        aliases=("종료일", "교육종료일자"),
    ),
    Column(
        "burden_won",
        "기업부담경비(원)",
        "Costs borne by the company (won)",
        "won",
        example="8765432",
        hint="기업이 부담한 경비를 원 단위로 입력합니다.",
        width=16,
        aliases=("부담경비", "기업부담금", "부담금", "금액"),
    ),
    _EXCLUDED,
    _NOTE,
)
HIRING = (
    _BRN,
    _COMPANY,
    _AGREED,
    _TRAINEE,
    _DEPARTMENT,
    Column(
        "completed_type",
        "이수구분",
        "Completed course",
        "choice",
        example="표준현장실습",
        hint="학생이 이 기업에서 이수한 과정입니다.",
        width=16,
        aliases=("이수과정", "이수유형"),
        choices=(
            replace(_STANDARD, ko="표준현장실습", en="Standard practice"),
            *_COURSES,
            replace(_AUTONOMOUS, ko="자율현장실습", en="Autonomous practice"),
            _IPP,
        ),
    ),
    Column(
        "completed_brn",
        "이수기업 사업자번호",
        "Company of the course",
        "brn",
        example="1048203590",
        hint="과정을 함께한 기업의 사업자등록번호입니다. 채용한 기업과 같아야 합니다.",
        width=20,
        aliases=("이수기업 사업자등록번호", "이수기업번호"),
    ),
    Column(
        "hire_date",
        "채용일",
        "Date of hire",
        "date",
        example="20240701",
        hint="4대보험 자격을 취득한 날입니다(YYYYMMDD). 이 날부터 1년 안에 신청합니다.",
        aliases=("입사일", "채용일자", "고용일"),
    ),
    _NOTE,
)
RESEARCH = _deposit_columns(
    _title("과제명", "Project", "이차전지 소재 공동연구", "연구과제의 이름입니다.", "연구과제명"),
    contract_won_required=True,
)
TECH_TRANSFER = _deposit_columns(
    _title(
        "기술명", "Technology", "집진 필터 제조 기술", "이전한 기술의 이름입니다.", "이전기술명"
    ),
)
EQUIPMENT = _deposit_columns(
    Column(
        "usage_type",
        "이용구분",
        "Kind of use",
        "choice",
        example="공용장비",
        hint="공용장비 사용료만 적립됩니다.",
        width=12,
        aliases=("구분", "사용구분"),
        choices=(
            Choice("SHARED_EQUIPMENT", "공용장비", "Shared equipment", ("장비", "공동장비")),
            Choice("PUBLIC_FACILITY", "공공시설", "Public facility", ("시설",)),
        ),
    ),
    _title("장비명", "Equipment", "주사전자현미경", "사용한 장비의 이름입니다.", "공용장비명"),
)
SCHOLARSHIP = (
    _BRN,
    _COMPANY,
    _AGREED,
    Column(
        "donation_type",
        "구분",
        "Kind",
        "choice",
        example="장학금",
        hint="장학금 또는 발전기금입니다. 가족회사 가입비·회비는 적립할 수 없습니다.",
        width=12,
        aliases=("기부구분", "종류"),
        choices=(
            Choice("SCHOLARSHIP", "장학금", "Scholarship"),
            Choice("DEVELOPMENT_FUND", "발전기금", "Development fund", ("대학발전기금",)),
            Choice("MEMBERSHIP_FEE", "가족회사 회비", "Membership fee", ("회비", "가입비")),
        ),
    ),
    replace(
        _CONTRACT_NO,
        ko="약정번호",
        en="Pledge number",
        example="",
        hint="약정번호가 있으면 입력합니다. 없으면 같은 기업의 같은 해 기부를 합하여 계산합니다.",
        required=False,
        aliases=("기부약정번호", "계약번호"),
    ),
    _DEPOSITED_ON,
    replace(_DEPOSIT, example="5000000"),
    _EXCLUDED,
    _NOTE,
)

COLUMNS: Mapping[str, tuple[Column, ...]] = {
    "PRACTICE": PRACTICE,
    "CURRICULUM": CURRICULUM,
    "HIRING": HIRING,
    "RESEARCH": RESEARCH,
    "TECH_TRANSFER": TECH_TRANSFER,
    "EQUIPMENT": EQUIPMENT,
    "SCHOLARSHIP": SCHOLARSHIP,
}
"""The columns of every field, by the field's code in the criteria."""
