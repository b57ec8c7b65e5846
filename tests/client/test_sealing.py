"""What the store keeps of tokens is readable by nobody without the key."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet

from cirqll_client.errors import SettingInvalid
from cirqll_client.sealing import KEY_VARIABLE, FernetSealing, sealing_of
from cirqll_client.store import Store
from cirqll_client.token_store import Origin, TokenStore
from cirqll_client.tokens import TokenPair

if TYPE_CHECKING:
    from cirqll_client.sealing import Sealing

KEY, OTHER_KEY = Fernet.generate_key().decode(), Fernet.generate_key().decode()
CANARIES = ("access-canary-not-a-secret", "refresh-canary-not-a-secret")
PAIR = TokenPair(*CANARIES, obtained_at=1.0, expires_at=2.0)
ORIGIN = Origin(client_id="client", token_url="https://login.example/token")
MISSING = (
    "The tokens in the store are encrypted, and the environment variable CIRQLL_STORE_KEY is not "
    "set: set it to the key with which they were written. Nothing was changed."
)
WRONG = (
    "The environment variable CIRQLL_STORE_KEY holds another key than the one with which the "
    "tokens in the store were encrypted. Set the right key; to change keys, set both with a comma "
    "between, the new one first. Nothing was changed."
)


def sealing(keys: str | None) -> Sealing:
    return sealing_of({KEY_VARIABLE: keys} if keys else {})


def save(url: str, keys: str | None, pair: TokenPair = PAIR) -> None:
    with closing(Store(url)) as store:
        TokenStore(store, api_url="https://x", sealing=sealing(keys)).save("default", pair, ORIGIN)


def read(url: str, keys: str | None) -> TokenPair | None:
    with closing(Store(url)) as store:
        stored = TokenStore(store, api_url="https://x", sealing=sealing(keys)).read("default")
        return stored.pair if stored else None


def refusal(url: str, keys: str | None, *, of_saving: bool = False) -> str:
    with pytest.raises(SettingInvalid) as caught:
        (save if of_saving else read)(url, keys)
    return caught.value.sentence


def test_no_byte_of_the_files_tells_a_token(sqlite_url: str) -> None:
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    with closing(Store(sqlite_url)) as store:
        tokens = TokenStore(store, api_url="https://x", sealing=sealing(KEY))
        tokens.save("default", PAIR, ORIGIN)
        version = tokens.look("default").stored.version
        assert tokens.begin_renewal(
            "default", version=version, refresh_token=CANARIES[1], by="me", seconds=9
        )
        assert tokens.finish_renewal("default", PAIR, by="me", origin=ORIGIN)
        names = {path.name for path in folder.iterdir()}
        assert names == {"store.sqlite", "store.sqlite-wal", "store.sqlite-shm"}
        written = b"".join(path.read_bytes() for path in folder.iterdir())
    assert b"fernet:" in written
    assert b"canary" not in written + b"".join(path.read_bytes() for path in folder.iterdir())


def test_without_a_key_the_tokens_are_there_to_be_found(sqlite_url: str) -> None:
    save(sqlite_url, None)
    folder = Path(sqlite_url.removeprefix("sqlite:///")).parent
    assert b"refresh-canary" in b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.parametrize(
    ("keys", "sentence"), [(None, MISSING), (OTHER_KEY, WRONG)], ids=["none", "another"]
)
def test_another_key_reads_nothing_and_writes_over_nothing(
    store_url: str, keys: str | None, sentence: str
) -> None:
    save(store_url, KEY)
    assert refusal(store_url, keys) == sentence
    assert refusal(store_url, keys, of_saving=True) == sentence
    assert read(store_url, KEY) == PAIR


def test_keys_are_changed_by_naming_both(store_url: str) -> None:
    save(store_url, KEY)
    both = f" {OTHER_KEY} , {KEY}"
    assert read(store_url, both) == PAIR
    save(store_url, both)
    assert read(store_url, OTHER_KEY) == PAIR
    assert refusal(store_url, KEY) == WRONG


def test_what_was_written_plainly_is_read_and_sealed_at_the_next_change(sqlite_url: str) -> None:
    save(sqlite_url, None)
    assert read(sqlite_url, KEY) == PAIR
    save(sqlite_url, KEY)
    assert refusal(sqlite_url, None) == MISSING


def test_an_account_that_cannot_be_read_can_be_removed(sqlite_url: str) -> None:
    save(sqlite_url, KEY)
    with closing(Store(sqlite_url)) as store:
        assert TokenStore(store, api_url="https://x").forget("default")
    assert read(sqlite_url, None) is None


@pytest.mark.parametrize(
    "keys",
    ["short", "=" * 44, f"{KEY},short", "é" * 44, ","],
    ids=["short", "no-key", "one-of-two", "no-ascii", "nothing"],
)
def test_what_is_no_key_is_refused_with_the_way_to_one(keys: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        sealing(keys)
    assert caught.value.sentence == (
        "The environment variable CIRQLL_STORE_KEY is no key: it must be 32 random bytes in "
        "URL-safe base64, as `python -c 'import base64, os; "
        "print(base64.urlsafe_b64encode(os.urandom(32)).decode())'` makes them."
    )
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_key_is_never_shown() -> None:
    assert KEY not in repr(FernetSealing(KEY))
    assert repr(FernetSealing(KEY)) == "FernetSealing(***)"


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_files_and_new_folders_are_their_owners_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        url = f"sqlite:///{tmp_path / 'new' / 'state' / 'store.sqlite'}"
        with closing(Store(url)) as store:
            TokenStore(store, api_url="https://x").save("default", PAIR, ORIGIN)
            made = sorted((tmp_path / "new").rglob("*"))
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in made}
    finally:
        os.umask(before)
    assert modes == {
        "state": 0o700,
        "store.sqlite": 0o600,
        "store.sqlite-shm": 0o600,
        "store.sqlite-wal": 0o600,
    }
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_file_that_others_may_read_is_closed_to_them_when_it_is_opened(tmp_path: Path) -> None:
    file = tmp_path / "store.sqlite"
    file.touch(mode=0o644)
    file.chmod(0o644)
    Store(f"sqlite:///{file}").close()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
