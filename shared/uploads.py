"""Files as forms bring them."""

from typing import Annotated

from fastapi import File, UploadFile

Upload = Annotated[UploadFile, File(description="10MB 이하")]
"""A form's file of any kind; `shared.files` refuses what is too large or cannot be attached."""
