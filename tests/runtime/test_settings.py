"""A person's settings and the folders that hold them."""

from __future__ import annotations

from pathlib import Path

import pytest
from platformdirs import PlatformDirs

from satchel.runtime.paths import HOME_VARIABLE, Home, find_home
from satchel.runtime.settings import ImageSettings, Settings, SettingsError, load_settings, save_settings


def write(folder: Path, content: str | bytes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "settings.toml").write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def test_without_a_file_every_setting_has_its_default(tmp_path):
    assert load_settings(tmp_path / "missing") == Settings()
    assert load_settings(write(tmp_path, "")) == Settings(default_model="", unload_minutes=10, threads=0, context=0)


def test_what_the_file_says_is_taken_and_the_rest_stays(tmp_path):
    folder = write(tmp_path, 'default_model = "starter"  # the small one\nthreads = 2\nunload_minutes = 0.5\n')

    assert load_settings(folder) == Settings(default_model="starter", threads=2, unload_minutes=0.5)


def test_line_ends_and_byte_order_marks_of_windows_are_read(tmp_path):
    assert load_settings(write(tmp_path, "\ufeffthreads = 2\r\ncontext = 4096\r\n")) == Settings(
        threads=2, context=4096
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("thread = 2", "Object contains unknown field `thread`"),
        ("threads = '2'", "Expected `int`, got `str` - at `$.threads`"),
        ("threads = -1", "Expected `int` >= 0 - at `$.threads`"),
        ("threads = 5000", "Expected `int` <= 1024 - at `$.threads`"),
        ("unload_minutes = nan", "Expected `float` >= 0.0 - at `$.unload_minutes`"),
        ("context = 1e3", "Expected `int`, got `float` - at `$.context`"),
        ("threads 2\n", "Expected '=' after a key in a key/value pair (at line 1, column 9)"),
        (b"# caf\xe9", "byte 5 is not UTF-8"),
        ("x = " + "[" * 20_000, "it is nested too deeply"),
        ("threads = " + "1" * 5_000, "Exceeds the limit"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(tmp_path, content, reason):
    with pytest.raises(SettingsError) as raised:
        load_settings(write(tmp_path, content))

    assert raised.value.message.startswith(f"{tmp_path / 'settings.toml'}: {reason}")
    assert raised.value.exit_code == 63


def test_what_is_no_file_is_an_error(tmp_path):
    (tmp_path / "settings.toml").mkdir()

    with pytest.raises(SettingsError, match="is a directory"):
        load_settings(tmp_path)


def test_one_variable_moves_everything(tmp_path, monkeypatch):
    monkeypatch.setenv(HOME_VARIABLE, str(tmp_path / "mine"))

    assert find_home() == Home(
        data=tmp_path / "mine/data", cache=tmp_path / "mine/cache", settings=tmp_path / "mine/settings"
    )
    assert not (tmp_path / "mine").exists()


def test_what_is_kept_lies_in_the_data_folder(home):
    assert home.packs.parent == home.models.parent == home.history.parent == home.data


def test_a_relative_home_is_that_of_the_folder_where_satchel_was_started(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(HOME_VARIABLE, "mine")
    home = find_home()
    monkeypatch.chdir("/")

    assert home.data == tmp_path / "mine/data"


@pytest.mark.parametrize(("value", "expected"), [("~/satchel", "ada/satchel"), ("~nobody-of-this-name/x", None)])
def test_a_tilde_is_the_persons_home_where_there_is_one(tmp_path, monkeypatch, value, expected):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "ada"))
    monkeypatch.setenv(HOME_VARIABLE, value)

    assert find_home().data == tmp_path / (expected or value) / "data"


@pytest.mark.parametrize("value", [None, ""])
def test_without_the_variable_the_platforms_own_folders_are_used(monkeypatch, value):
    if value is None:
        monkeypatch.delenv(HOME_VARIABLE)
    else:
        monkeypatch.setenv(HOME_VARIABLE, value)
    own = PlatformDirs("satchel", appauthor=False)

    assert find_home() == Home(data=own.user_data_path, cache=own.user_cache_path, settings=own.user_config_path)


def test_saving_changes_what_was_changed_and_nothing_else_that_a_person_wrote(tmp_path):
    folder = write(tmp_path, 'threads = 2  # it is a small one\n\n[image]\nmodel = "flux"  # paints well\n')
    settings = load_settings(folder)
    save_settings(folder, settings)
    assert (
        folder / "settings.toml"
    ).read_text() == 'threads = 2  # it is a small one\n\n[image]\nmodel = "flux"  # paints well\n'
    changed = Settings(default_model="starter", threads=2, image=ImageSettings(model="other"))
    save_settings(folder, changed)
    assert load_settings(folder) == changed
    text = (folder / "settings.toml").read_text()
    assert "# it is a small one" in text
    assert "# paints well" in text
    assert "unload_minutes" not in text


def test_settings_are_saved_into_a_folder_that_is_not_there_yet(tmp_path):
    save_settings(tmp_path / "new", Settings(unload_minutes=0))
    assert load_settings(tmp_path / "new").unload_minutes == 0


def test_settings_that_cannot_be_read_are_not_written_over(tmp_path):
    folder = write(tmp_path, "threads = many")
    with pytest.raises(SettingsError):
        save_settings(folder, Settings(threads=1))
    assert (folder / "settings.toml").read_text() == "threads = many"
