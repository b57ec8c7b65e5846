"""The ready catalogs are those that the code makes, and can be used as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cirqll_client.nested import TABLES
from tap_cirqll.catalogs import SALES_REPORT, main, ready_catalogs

if TYPE_CHECKING:
    from tests.tap.tap_runs import TapRuns

FOLDER = Path(__file__).parents[2] / "catalogs"


@pytest.mark.parametrize("name", sorted(ready_catalogs()))
def test_files_are_as_the_code_writes_them(name: str, tmp_path: Path) -> None:
    main(tmp_path)

    written = (tmp_path / name).read_text("utf-8")

    remedy = "run: python -m tap_cirqll.catalogs catalogs/"
    assert (FOLDER / name).read_text("utf-8") == written, remedy


def test_no_other_catalogs_lie_there() -> None:
    assert {path.name for path in FOLDER.glob("*.json")} == set(ready_catalogs())


def test_the_fields_of_the_sales_report_exist() -> None:
    schemas = {one.stream: one.schema["properties"] for one in TABLES}

    for stream, fields in SALES_REPORT.items():
        assert schemas[stream].keys() >= set(fields)


def test_everything_reads_all_streams(run_on_company: TapRuns) -> None:
    catalog = json.loads((FOLDER / "everything.json").read_text("utf-8"))

    run = run_on_company(catalog=catalog)

    assert run.code == 0
    streams = {one.stream for one in TABLES} | {"_certificates"}
    assert {m["stream"] for m in run.of_type("RECORD")} == streams


def test_the_sales_report_reads_its_fields_and_no_others(run_on_company: TapRuns) -> None:
    catalog = json.loads((FOLDER / "sales-report.json").read_text("utf-8"))

    run = run_on_company(catalog=catalog)

    assert run.code == 0
    assert {m["stream"] for m in run.of_type("RECORD")} == set(SALES_REPORT)
    for stream, fields in SALES_REPORT.items():
        allowed = {"id", "updated_at", "_nonconforming", *fields}
        assert all(record.keys() <= allowed for record in run.records(stream))
