"""Files that hold secrets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cirqll_client.cli.tokens.private_file import write_private
from cirqll_client.errors import SettingInvalid


@pytest.mark.parametrize("may_overwrite", [False, True])
def test_a_disk_that_is_full_leaves_no_half_of_a_file(
    tmp_path: Path, *, may_overwrite: bool
) -> None:
    # Given
    code = (
        "import sys; from pathlib import Path; "
        "from cirqll_client.cli.tokens.private_file import write_private; "
        f"write_private(Path(sys.argv[1]), 'secret', may_overwrite={may_overwrite})"
    )
    limited = ["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", sys.executable, "-B", "-c", code]
    # When
    done = subprocess.run(
        [*limited, str(tmp_path / "file")],
        capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    # Then
    assert "could not be written (File too large). Nothing was exported." in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(SettingInvalid, match="could not be written"):
        write_private(tmp_path / "folder", "x", may_overwrite=True)
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    # Given
    (tmp_path / "target").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(SettingInvalid, match="There is a file"):
        write_private(tmp_path / "link", "secret", may_overwrite=False)
    # When
    write_private(tmp_path / "link", "secret", may_overwrite=True)
    # Then
    assert (tmp_path / "target").read_text() == "mine"
    assert (tmp_path / "link").read_text() == "secret"
