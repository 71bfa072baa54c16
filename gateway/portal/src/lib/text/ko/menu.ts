export const ko = {
  members: '기관·계정',
  accrual: '적립 신청',
  wallet: '마일리지',
  exchange: '거래소',
  grants: '지원사업',
  review: '접수·심사',
  admin: '운영 관리',
  calculator: '마일리지 계산',
  verify: '증명서 확인',
  notices: '공지사항',
} as const;
