"""What a proposal's form, its consortium and its people can be told. The findings of the call and
the budget, which other capabilities share, are in `services/grants/errors.py`."""

from shared.problems import FindingKind

DOCUMENT_UNKNOWN = FindingKind(
    "DOCUMENT_UNKNOWN",
    "이 공고에 없는 제출 서류입니다. 가능한 서류: {known}",
    "This call does not ask for such a document. Known: {known}",
    rule="G-005",
)
CONSORTIUM_MISMATCH = FindingKind(
    "CONSORTIUM_MISMATCH",
    "참여기업 수({stated}개)가 참여기관 목록({given}개)과 다릅니다.",
    "{stated} companies are stated, {given} are listed.",
)
RATE_OVER_100_PENDING = FindingKind(
    "RATE_OVER_100_PENDING",
    "{name}의 참여율 합계가 {month}에 {rate}%로 {limit}%를 초과합니다. "
    "심사 중인 다른 기관의 신청이 있으므로 조정이 필요합니다({projects}).",
    "With proposals of others still pending, the rates of {name} would sum to {rate}% in {month},"
    " over {limit}% ({projects}).",
    level="warning",
)
RESEARCHER_NO_FORM = FindingKind(
    "RESEARCHER_NO",
    "과학기술인번호는 숫자 8자리입니다: {given}",
    "A researcher number has eight digits: {given}",
    rule="G-011",
)
PERSON_TWICE = FindingKind(
    "PERSON_TWICE",
    "참여인력 명단에 같은 사람이 두 번 있습니다: {name}({number})",
    "{name} ({number}) is on the list of participants twice.",
    rule="G-013",
)
DOCUMENT_VALUE = FindingKind(
    "DOCUMENT_VALUE",
    "값이 형식({expected})에 맞지 않습니다: {given}",
    "The value '{given}' is not of the form {expected}.",
    rule="G-011",
)
DOCUMENT_KEY_UNKNOWN = FindingKind(
    "DOCUMENT_KEY_UNKNOWN",
    "알 수 없는 항목입니다: {key}",
    "The key '{key}' is not known.",
    rule="G-011",
)
TABLE_TOO_LONG = FindingKind(
    "TABLE_TOO_LONG",
    "{name_ko}: {limit}행까지 적을 수 있습니다(현재 {given}행).",
    "{name_en}: at most {limit} rows; {given} given.",
)
FORM_OTHER = FindingKind(
    "FORM_OTHER",
    "다른 서식({given})으로 작성한 문서입니다. 이 공고의 서식은 {expected}입니다.",
    "The document was written by the form {given}; this call's form is {expected}.",
)
CELL_EMPTY = FindingKind(
    "CELL_EMPTY",
    "{part_ko}: '{name_ko}'을(를) 적어 주세요.",
    "{part_en}: '{name_en}' is empty.",
)
SECTION_EMPTY = FindingKind(
    "SECTION_EMPTY",
    "작성하지 않은 항목입니다: {name_ko}",
    "Not written yet: {name_en}",
    level="warning",
)
PERSON_NOT_NAMED = FindingKind(
    "PERSON_NOT_NAMED",
    "{part_ko}에 {name}이(가) 없습니다. 인건비 대상인 모든 참여인력을 적습니다.",
    "{part_en}: {name} is missing; everybody who is paid is listed.",
    level="warning",
)
YEAR_MISMATCH = FindingKind(
    "YEAR_MISMATCH",
    "{part_ko}의 {year_ko} {name_ko} {stated_won:,}원이"
    " 비목별 사업비 {computed_won:,}원과 다릅니다.",
    "{part_en}, {year_en}: {name_en} {stated_won:,} won, the budget says {computed_won:,} won.",
)
GOODS_MISMATCH = FindingKind(
    "GOODS_MISMATCH",
    "{name}: 수량 {quantity:,} × 단가 {price_won:,}원이 금액 {amount_won:,}원과 다릅니다.",
    "{name}: {quantity:,} at {price_won:,} won is not {amount_won:,} won.",
    rule="G-011",
)
SHEET_UNKNOWN = FindingKind(
    "SHEET_UNKNOWN",
    "'{sheet}' 시트는 쓰이지 않습니다.",
    "The sheet '{sheet}' is not used.",
    level="warning",
)
SHEET_ROWS = FindingKind(
    "SHEET_ROWS",
    "{limit:,}행까지 적을 수 있습니다(현재 {given:,}행).",
    "At most {limit:,} rows; {given:,} given.",
)
ROW_UNKNOWN = FindingKind(
    "ROW_UNKNOWN",
    "양식에 없거나 두 번 나온 행입니다: {given}",
    "This row is not in the form, or it stands twice: {given}",
)
GLYPH_MISSING = FindingKind(
    "GLYPH_MISSING",
    "인쇄할 수 없는 문자가 있습니다. 다른 문자로 바꿔 주세요: {characters}",
    "There are characters that cannot be printed; please replace them: {characters}",
)
