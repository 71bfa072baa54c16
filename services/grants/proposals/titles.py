"""The Korean names of a document's typed parts, as the form prints them."""

from collections.abc import Mapping
from typing import Any, Final

from services.grants.programmes.rules import Funds, Period
from services.grants.proposals.document import Document
from services.grants.proposals.rules import (
    Applicant,
    Asset,
    Budget,
    Career,
    Goods,
    Line,
    OtherProject,
    Partner,
    Pay,
    Person,
    Pledge,
    School,
)

_BY_KIND: Final[Mapping[type, Mapping[str, str]]] = {
    Document: {
        "form": "서식",
        "applicant": "신청기관·컨소시엄",
        "budget": "당해연도 사업비",
        "pledge": "민간부담금 부담 협약서",
        "copies": "제출 서류별 부수",
        "targets": "연간 목표",
        "texts": "요약서",
        "keywords": "키워드",
        "sections": "본문",
    },
    Applicant: {
        "schools": "대학원",
        "companies": "참여기업 수",
        "incumbent": "기존 사업 수행 여부",
        "restricted": "참여제한 여부",
        "runs_similar_programme": "유사 인력양성사업 수행 여부",
        "partners": "참여기관",
        "companies_reason": "참여기업 수에 대한 사유",
    },
    School: {"university": "대학교", "eligible": "지원 대상 대학원 여부", "lead": "주관 여부"},
    Partner: {
        "kind": "구분",
        "name": "기관명",
        "crn": "법인등록번호",
        "head": "책임자",
        "phone": "전화번호",
        "company_type": "기업유형",
    },
    Budget: {
        "year": "당해 사업기간",
        "lines": "비목별 명세",
        "people": "참여인력",
        "declared": "서식에 적은 소계",
        "own_rules": "인정받은 자체 규정",
    },
    Period: {"start": "시작일", "end": "종료일"},
    Funds: {"grant": "정부지원금", "cash": "민간현금", "in_kind": "민간현물"},
    Line: {
        "item": "비목",
        "kind": "세부 비목",
        "fund": "재원",
        "amount_won": "금액(원)",
        "name": "내역·품명",
        "pay": "인건비",
        "asset": "보유 장비·시설",
        "heads": "인원",
        "trip": "국외출장 계획",
        "declared_won": "서식에 적은 금액(원)",
        "goods": "기자재·재료",
        "basis": "계산근거",
        "note": "비고",
    },
    Pay: {
        "person": "참여인력 번호",
        "monthly_won": "월 단가(원)",
        "start": "참여 시작일",
        "months": "참여기간(개월)",
        "rate": "참여율(%)",
    },
    Asset: {
        "ref": "장비·시설 번호",
        "price_won": "구입 단가·공시지가(원)",
        "quantity": "수량",
        "pledged_elsewhere_won": "다른 사업에 계상한 금액(원)",
    },
    Goods: {
        "use": "용도",
        "spec": "규격",
        "unit": "단위",
        "quantity": "수량",
        "unit_price_won": "단가(원)",
        "deal": "구입·임차",
    },
    Person: {
        "ref": "참여인력 번호",
        "name": "성명",
        "role": "역할",
        "grade": "직급별 계상기준",
        "post": "직위",
        "course": "과정",
        "career": "경력",
        "equivalent_note": "동등 이상의 근거",
        "employed_elsewhere": "다른 기관 소속 여부",
        "other_projects": "다른 과제 참여 현황",
        "researcher_no": "과학기술인번호",
        "affiliation": "소속기관/부서",
        "rank": "직급·학년",
    },
    Career: {"sector": "부문", "rank": "직급", "degree": "학위", "years": "경력(년)"},
    OtherProject: {
        "name": "과제명",
        "start": "참여 시작일",
        "months": "참여기간(개월)",
        "rate": "참여율(%)",
        "proposal": "이 시스템의 사업계획서 번호",
    },
    Pledge: {
        "cash_won": "현금(A)",
        "in_kind_won": "현물(B)",
        "total_won": "민간부담금 총계(A+B)",
        "pay_in_kind_won": "현물 인건비",
        "assets_in_kind_won": "현물 기자재·시설 임차",
        "cash_paid_on": "현금 지급일자",
        "pay_content": "인건비 주요출연내용",
        "assets_content": "기자재·시설 주요출연내용",
    },
}

TITLES: Final[Mapping[tuple[Any, str], str]] = {
    (kind, name): title for kind, titles in _BY_KIND.items() for name, title in titles.items()
}
