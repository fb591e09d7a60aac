"""Countries that a worker can live in and a requirement can ask for: the two-letter codes of ISO 3166-1."""

from __future__ import annotations

__all__ = ["COUNTRIES", "country_refusal"]

_CODES = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ
    CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO
    FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE
    JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO
    MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW
    PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM
    TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_CODES.split())
_MEANT = {"UK": "GB", "EN": "GB", "EL": "GR"}
"""Codes that people write, and what they mean by them."""


def country_refusal(code: str) -> str:
    """Why nobody can be in the country, in words, or ""."""
    if code in COUNTRIES:
        return ""
    upper = code.upper()
    meant = _MEANT.get(upper, upper if upper in COUNTRIES else "")
    hint = f" Did you mean {meant}?" if meant else ""
    return f"{code[:20]!r} is no country of ISO 3166-1 (two capital letters, such as DE): nobody could match it.{hint}"
