export const ko = {
  title: '산학 마일리지',
  lead: '대학의 산학협력 실적을 마일리지로 적립하고, 기업이 대학의 장비와 시설을 이용할 때 쓰며, 정부 지원사업의 신청부터 정산까지 처리하는 서비스입니다.',
  developers: '개발자를 위한 문서',
  api_docs: 'API 문서',
  error_codes: '오류 코드',
  openapi: 'OpenAPI 문서(JSON)',
  status: '서비스 상태',
  notices: '공지사항',
  notices_more: '공지사항 더 보기',
  log_in: '로그인',
} as const;
