"""Times of the API: to UTC as the zone's own rules say, and back without losing an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cirqll_client.timestamps import _HOURS_KEPT, Timestamps

ZONES = ("UTC", "Europe/Amsterdam", "Asia/Kolkata", "America/St_Johns")
KNOWN = {name: Timestamps(ZoneInfo(name)) for name in ZONES}
"""They keep their caches from example to example, as they do from page to page."""

CHANGES = (
    datetime(2025, 3, 30, 1, tzinfo=UTC),  # Amsterdam, spring
    datetime(2025, 10, 26, 1, tzinfo=UTC),  # Amsterdam, autumn
    datetime(2025, 3, 9, 5, 30, tzinfo=UTC),  # St John's, spring
    datetime(2025, 11, 2, 4, 30, tzinfo=UTC),  # St John's, autumn
    datetime(2006, 10, 29, 2, 31, tzinfo=UTC),  # St John's, at one minute past midnight
)
zones = st.sampled_from(ZONES)
years = st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(microsecond=0)
)
near_changes = st.builds(
    lambda change, seconds: (change + timedelta(seconds=seconds)).replace(tzinfo=None),
    st.sampled_from(CHANGES),
    st.integers(-200_000, 200_000),
)
local_times = years | near_changes


def utc_by_zoneinfo(local: datetime, zone: str) -> str:
    moment = local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    return moment.replace(tzinfo=None).isoformat() + "Z"


@given(local=local_times, zone=zones)
@example(local=datetime(2025, 10, 26, 2, 30), zone="Europe/Amsterdam")  # noqa: DTZ001 - twice there
@example(local=datetime(2025, 3, 30, 2, 30), zone="Europe/Amsterdam")  # noqa: DTZ001 - never there
def test_every_local_time_is_told_in_utc_as_the_zone_database_tells_it(
    local: datetime, zone: str
) -> None:
    assert KNOWN[zone].utc_text(str(local)) == utc_by_zoneinfo(local, zone)


@given(locals_=st.lists(local_times | st.none()), zone=zones)
def test_many_at_once_are_told_as_one_by_one_or_not_at_all(
    locals_: list[datetime | None], zone: str
) -> None:
    texts = [None if local is None else str(local) for local in locals_]

    try:
        told = KNOWN[zone].utc_texts(texts)
    except KeyError:
        # An hour of this zone is not an hour of UTC, or holds a clock change.
        assert zone != "UTC"
        return

    one_by_one = KNOWN[zone].utc_text
    assert told == [None if text is None else one_by_one(text) for text in texts]


def test_a_page_of_ordinary_times_is_told_at_once() -> None:
    texts = [f"2025-06-01 {hour:02}:59:59" for hour in range(24)]

    assert KNOWN["Europe/Amsterdam"].utc_texts(texts)[13] == "2025-06-01T11:59:59Z"


@given(
    moment=local_times, seconds=st.integers(0, 10_000) | st.integers(0, 10**9), zone=zones
)  # fmt: skip
@example(moment=datetime(2025, 10, 26, 0, 59, 59), seconds=1, zone="Europe/Amsterdam")  # noqa: DTZ001
def test_no_later_moment_is_written_before_the_earliest_text(
    moment: datetime, seconds: int, zone: str
) -> None:
    first = moment.replace(tzinfo=UTC)

    later = KNOWN[zone].local_text(first + timedelta(seconds=seconds))

    assert later >= KNOWN[zone].earliest_text(first)


@given(moment=years, zone=zones)
def test_the_earliest_text_is_an_hour_early_at_most(moment: datetime, zone: str) -> None:
    earliest = KNOWN[zone].earliest_text(moment.replace(tzinfo=UTC))
    local = moment.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)

    # St John's, 1988: two hours.
    assert local - datetime.fromisoformat(earliest) <= timedelta(hours=2)


def test_the_earliest_text_stays_on_the_calendar() -> None:
    first, last = (one.replace(tzinfo=UTC) for one in (datetime.min, datetime.max))  # noqa: DTZ901

    assert KNOWN["America/St_Johns"].earliest_text(first) == "0001-01-01 00:00:00"
    assert KNOWN["UTC"].earliest_text(last) == "0001-01-01 00:00:00"


@given(local=local_times, zone=zones)
def test_the_documented_form_is_compared_as_it_came(local: datetime, zone: str) -> None:
    assert KNOWN[zone].comparable(str(local)) == str(local)


def test_other_forms_are_compared_in_the_documented_one() -> None:
    amsterdam = KNOWN["Europe/Amsterdam"]

    assert amsterdam.comparable("2025-06-01T10:00:00Z") == "2025-06-01 12:00:00"
    assert amsterdam.comparable("2025-06-01") == "2025-06-01 00:00:00"


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2025-06-01T12:00:00Z", "2025-06-01T12:00:00Z"),
        ("2025-06-01T12:00:00+02:00", "2025-06-01T10:00:00Z"),
        ("2025-06-01 12:00:00-0330", "2025-06-01T15:30:00Z"),
        ("2025-06-01T12:00:00", "2025-06-01T10:00:00Z"),
        ("2025-06-01 12:00", "2025-06-01T10:00:00Z"),
        ("2025-06-01", "2025-05-31T22:00:00Z"),
        ("2025-06-01 12:00:00.5", "2025-06-01T10:00:00.500000Z"),
        ("2025-06-01T12:00:00.000001Z", "2025-06-01T12:00:00.000001Z"),
        ("2025-06-01T12:00:00.123456789Z", "2025-06-01T12:00:00.123456Z"),
        ("2025-06-01T12:00:00.000Z", "2025-06-01T12:00:00Z"),
    ],
)
def test_iso_8601_is_understood_and_parts_of_a_second_are_kept(text: str, utc: str) -> None:
    assert KNOWN["Europe/Amsterdam"].utc_text(text) == utc


@given(local=local_times, microseconds=st.integers(1, 999_999), zone=zones)
def test_any_part_of_a_second_is_kept(local: datetime, microseconds: int, zone: str) -> None:
    text = f"{local}.{microseconds:06}"

    assert KNOWN[zone].utc_text(text) == f"{utc_by_zoneinfo(local, zone)[:-1]}.{microseconds:06}Z"


ODD = [
    "", " ", "soon", "0000-00-00 00:00:00", "0000-00-00", "2025-02-30 12:00:00", "2025-02-30",
    "2025-13-01 00:00:00", "2025-01-01 24:00:00", "2025-01-01 12:60:00", "2025-01-01 12:00:60",
    "10000-01-01 00:00:00", "2025-01-01 12:00:00 ", " 2025-01-01 12:00:00", "2025-01-01\n12:00:00",
    "2025-01-01 12:00:00\n", "2025-01-01 12", "20250101", "2025-W01-1", "2025-01-01 12:00:00,5",
    "2025-01-01 12:00:00+99:99", "2025-01-01 12:00:00Z Z", "٢٠٢٥-01-01 12:00:00", "1e9", "-1",
    "0001-01-01 00:00:00+14:00", "9999-12-31 23:59:59-12:00",
]  # fmt: skip


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("zone", ZONES)
def test_what_is_no_time_is_a_value_error(text: str, zone: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        KNOWN[zone].utc_text(text)
    with pytest.raises(KeyError):
        KNOWN[zone].utc_texts([text])


@given(text=st.text() | st.text(alphabet="0123456789-: .TZ+", max_size=30), zone=zones)
def test_any_other_text_is_a_time_or_a_value_error(text: str, zone: str) -> None:
    for read in (KNOWN[zone].utc_text, KNOWN[zone].instant, KNOWN[zone].comparable):
        try:
            read(text)
        except ValueError:
            continue


@pytest.mark.parametrize("text", ["0001-01-01 00:00:00", "9999-12-31 23:59:59"])
@pytest.mark.parametrize("zone", ZONES)
def test_the_ends_of_the_calendar_are_times_or_value_errors(text: str, zone: str) -> None:
    if zone == "UTC":
        assert KNOWN[zone].utc_text(text) == text.replace(" ", "T") + "Z"
        return
    try:
        assert KNOWN[zone].utc_text(text).endswith("Z")
    except ValueError as error:
        assert str(error) == "a time outside the years 1 to 9999"  # noqa: PT017 - either is right


def test_the_caches_stay_small_however_many_times_come() -> None:
    timestamps = Timestamps(ZoneInfo("Europe/Amsterdam"))
    start = datetime(1980, 1, 1)  # noqa: DTZ001

    for hours in range(2 * _HOURS_KEPT + 100):
        timestamps.utc_text(str(start + timedelta(hours=hours, seconds=hours)))
        timestamps.utc_text(f"{start + timedelta(hours=hours)}.5")

    assert 0 < len(timestamps._hours) <= _HOURS_KEPT
    assert len(timestamps._rests) <= 3600
    assert timestamps._utc_text.cache_info().currsize <= _HOURS_KEPT
