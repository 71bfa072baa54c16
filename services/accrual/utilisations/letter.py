"""The letter that tells what mileage was used for (활용 확인서)."""

from pathlib import Path
from typing import Final

import orjson

from services.accrual.utilisations.schemas import UtilisationOut
from shared.clock import seoul_day
from shared.typeset import Template, legible_json

TEMPLATE: Final = Template(Path(__file__).parent / "letter.typ")


def render(one: UtilisationOut) -> bytes:
    """The PDF of a confirmed request. Takes tens of milliseconds: call it in a thread."""
    assert one.decided_at is not None
    rows = {
        "신청번호": one.number,
        "기관명": one.institution_name,
        "사업명": one.programme_name,
        "신청 마일리지": f"{one.mileage:,}점",
        "인정 단계": f"{one.steps_scored} / {one.steps}단계 ({one.rule.mileage_per_step:,}점 단위)",
        "부여 가점": f"{one.points_scored}{one.rule.unit}",
        "차감 마일리지": f"{one.deducted:,}점" if one.rule.deducts else "차감 없음",
        "확정일": f"{seoul_day(one.decided_at):%Y. %-m. %-d.}",
    }
    document = orjson.dumps(one.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
    inputs = {
        "rows": legible_json(list(rows.items())),
        "utilisation": document.decode(),
    }
    return TEMPLATE.pdf(inputs, timestamp=one.decided_at)
