"""Why a file cannot be read as rows, and what the reader finds in a cell."""

from shared.problems import FindingKind, Problem

CELL_ERROR = FindingKind(
    "CELL_ERROR",
    "수식 오류가 있는 칸입니다. 값으로 바꿔 입력하세요.",
    "The formula of this cell ends in an error. Enter a value instead.",
)
FORMULA_NOT_CALCULATED = FindingKind(
    "FORMULA_NOT_CALCULATED",
    "계산된 값이 없는 수식입니다. 엑셀에서 다시 저장하거나 값으로 바꿔 입력하세요.",
    "This formula holds no calculated value. Save the file in Excel again, or enter a value.",
)


class FileUnusable(Problem):
    """A file that cannot be read as rows. The classes below say why, and what to do."""

    status, code = 422, "FILE_UNREADABLE"
    ko = "파일을 읽을 수 없습니다. 파일이 손상되지 않았는지 확인하세요."
    en = "The file cannot be read. Please make sure that it is not damaged."


class FileEmpty(FileUnusable):
    code = "FILE_EMPTY"
    ko, en = "빈 파일입니다.", "The file is empty."


class FileTooLarge(FileUnusable):
    code = "FILE_TOO_LARGE"
    ko, en = "10MB 이하만 첨부할 수 있습니다.", "A file may have at most 10 MB."


class FileType(FileUnusable):
    code = "FILE_TYPE"
    ko = "엑셀(.xlsx) 또는 CSV 파일만 등록할 수 있습니다."
    en = "Only Excel (.xlsx) and CSV files can be registered."


class FileOldExcel(FileUnusable):
    code = "FILE_OLD_EXCEL"
    ko = "엑셀 97-2003(.xls) 파일입니다. '다른 이름으로 저장'에서 .xlsx로 저장하여 등록하세요."
    en = "This is an Excel 97-2003 file (.xls). Please save it as .xlsx."


class FileEncrypted(FileUnusable):
    code = "FILE_ENCRYPTED"
    ko = "암호 또는 문서보안(DRM)이 걸린 파일입니다. 해제한 뒤 등록하세요."
    en = "The file is protected by a password or DRM. Please remove the protection."


class FileOversized(FileUnusable):
    code = "FILE_OVERSIZED"
    ko = "시트가 너무 큽니다. 관계없는 시트와 칸을 지우고 등록하세요."
    en = "The sheet is too large. Please remove the sheets and cells that are not part of it."


class FileUnsafe(FileUnusable):
    """The workbook is built to exhaust or deceive its reader; it was not opened."""

    code = "FILE_UNSAFE"
    ko = "안전하지 않은 구조의 파일입니다. 양식을 새로 내려받아 옮겨 적은 뒤 등록하세요."
    en = "The file is built in an unsafe way. Please copy your rows into a fresh template."


class FileEncoding(FileUnusable):
    code = "FILE_ENCODING"
    ko = "글자를 읽을 수 없습니다. UTF-8 또는 한글 완성형(CP949)으로 저장하세요."
    en = "The characters cannot be read. Please save the file as UTF-8 or CP949."


class HeaderMissing(FileUnusable):
    """No sheet has a header row of the sheet; give `columns=`."""

    code = "HEADER_MISSING"
    ko = "제목 행을 찾을 수 없습니다. 양식의 제목 행이 필요합니다: {columns}"
    en = "No header row was found. The template's header row is needed: {columns}"


class ExportTooLarge(Problem):
    """Rather than leave some out without a word."""

    status, code = 422, "EXPORT_TOO_LARGE"
    ko = "한 번에 {most}건까지 내려받을 수 있습니다. 기간이나 조건을 좁히세요."
    en = "At most {most} lines can be exported at once. Please narrow the period or the filter."
