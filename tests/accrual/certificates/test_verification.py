"""What anyone who holds a certificate can learn, and what nobody can."""

import pytest

from services.accrual.certificates import service
from tests.accrual.certificates.conftest import BRN, CERTIFICATES, moment, operator


async def test_a_genuine_certificate_is_told_with_masked_names(holder, verify):
    await holder.earn(450)
    issued = await holder.certificate()
    answer = await verify(issued["verification_number"], "104-82-03590")
    assert answer.status_code == 200
    found = answer.json()
    assert (found["result"], found["balance"], found["number"]) == (
        "genuine",
        450,
        issued["number"],
    )
    assert (found["institution_name"], found["brn"]) == ("한빛**㈜", "104-82-*****")
    assert found["by_field"] == issued["by_field"]
    for secret in ("한빛정밀", BRN, str(holder.institution_id)):
        assert secret not in answer.text


async def test_an_unknown_number_and_a_wrong_key_cannot_be_told_apart(holder, verify):
    issued = await holder.certificate()
    wrong = await verify(issued["verification_number"], "1208147521")
    unknown = await verify("008J-4CT4-ANK7-F24S-W", BRN)

    def said(answer):
        body = answer.json()
        return answer.status_code, {**body, "trace_id": None, "instance": None}

    assert said(wrong) == said(unknown)
    assert (wrong.status_code, wrong.json()["code"]) == (404, "CERTIFICATE_NOT_FOUND")
    pdf = await holder.file(issued)
    assert said(await verify(issued["verification_number"], "x", pdf)) == said(unknown)


async def test_a_mistyped_number_is_told_before_anything_is_looked_up(verify):
    answer = await verify("008J-4CT4-ANK7-F24S-V", BRN)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "NUMBER_MISTYPED")


async def test_a_certificate_expires_on_the_ninety_first_day(world, holder):
    issued = await holder.certificate()
    number = issued["verification_number"]
    async with world.runtime.sessions() as session:
        for days, result in ((0, "genuine"), (90, "genuine"), (91, "expired")):
            now = moment(days)
            found = await service.verify(session, number=number, key=BRN, now=now)
            assert found.result(now) == result


async def test_an_expired_certificate_says_so_over_http(world, holder, verify, monkeypatch):
    issued = await holder.certificate()
    pdf = await holder.file(issued)
    later = moment(91)
    monkeypatch.setattr("services.accrual.certificates.routes.utc_now", lambda: later)
    for file in (None, pdf):
        found = (await verify(issued["verification_number"], BRN, file)).json()
        assert (found["result"], found["balance"]) == ("expired", 0)


async def test_a_revoked_certificate_says_so_and_withholds_its_figures(world, holder, verify):
    await holder.earn(450)
    issued = await holder.certificate()
    await operator(world).post(f"{CERTIFICATES}/{issued['id']}/revoke", {"reason": "허위 실적"})
    answer = await verify(issued["verification_number"], BRN)
    found = answer.json()
    assert (found["result"], found["balance"], found["by_field"]) == ("revoked", None, None)
    assert found["revoked_on"] is not None
    assert "허위" not in answer.text


async def test_one_changed_byte_is_altered(holder, verify):
    await holder.earn(450)
    issued = await holder.certificate()
    pdf = await holder.file(issued)
    number = issued["verification_number"]
    assert (await verify(number, BRN, pdf)).json()["result"] == "genuine"
    middle = len(pdf) // 2
    changed = pdf[:middle] + bytes([pdf[middle] ^ 1]) + pdf[middle + 1 :]
    for file in (changed, pdf + b"\n", pdf[:-1], b"x", b""):
        found = (await verify(number, BRN, file)).json()
        assert (found["result"], found["balance"]) == ("altered", 450)


async def test_a_file_larger_than_any_certificate_is_altered(holder, verify):
    issued = await holder.certificate()
    big = b"%PDF-" + bytes(service.MAX_FILE_BYTES)
    assert (await verify(issued["verification_number"], BRN, big)).json()["result"] == "altered"


@pytest.mark.parametrize("key", [None, "", "가" * 41])
async def test_verification_needs_a_key(world, key):
    params = {} if key is None else {"key": key}
    answer = await world.client.get(f"{CERTIFICATES}/verify/008J-4CT4-ANK7-F24S-W", params=params)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "?key")
