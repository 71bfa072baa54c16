"""Public: the criteria and the mileage calculator, without login."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Response

from services.accrual.criteria import service
from services.accrual.criteria.schemas import CalculateIn, CalculationOut, CriteriaOut
from shared.clock import seoul_day, utc_now

router = APIRouter(prefix="/api/v1/accrual/criteria", tags=["적립기준"])

On = Annotated[date | None, Query(description="이 날에 유효한 기준(기본값: 오늘)")]


@router.get("", response_model=CriteriaOut, summary="적립기준")
async def read_criteria(response: Response, on: On = None) -> CriteriaOut:
    response.headers["Cache-Control"] = "public, max-age=300"
    return CriteriaOut.of(service.criteria_on(on or seoul_day(utc_now())))


@router.post("/calculate", response_model=CalculationOut, summary="마일리지 계산")
async def calculate_mileage(body: CalculateIn) -> CalculationOut:
    explanation = service.calculate(
        body.field,
        body.on or seoul_day(utc_now()),
        amount_won=body.amount_won,
        people=body.people,
    )
    return CalculationOut.model_validate(explanation)
