"""What screens and papers call the values of our columns. Pure."""

UNITS = {"hour": "시간", "day": "일", "sample": "시료", "use": "회"}
METHODS = {"transfer": "계좌이체", "card": "카드", "other": "기타"}
