"""Names that people give: of collections, tenants and keys, and a person's external id.

What looks the same is the same name, however it was typed: a Mac writes é as two characters. Keys
in S3 and custom ids are no names; they belong to programs, and stay as they are.
"""

from __future__ import annotations

import unicodedata

# A character of the normal form is written with four at most. Of what is longer than four times a
# name nothing is normalised: it takes the square of the time for twice the combining marks.
MOST_GIVEN = 800


def normal_name(given: str) -> str:
    """Return the form in which a name is kept, compared and answered: Unicode's NFC.

    It can be longer than what was given: a few characters have no composed form.
    """
    return unicodedata.normalize("NFC", given)
