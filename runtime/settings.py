"""A person's settings: one small file that they may edit, defaults for what it does not say."""

from __future__ import annotations

import tomllib
from collections.abc import MutableMapping
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import msgspec

from satchel.runtime.errors import SatchelError

HUB = "https://huggingface.co"
HubEndpoint: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", max_length=500)]
"""An address as HF_ENDPOINT has it, without a name, a password or a query in it."""


class SettingsError(SatchelError):
    """{path}: {reason}."""

    exit_code = 63
    remedy = "Correct the file or remove it; every key has a default."


class ImageSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who paints for the tool `image`."""

    address: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s/?#@]+/[^\s?#]*)?$", max_length=500)] = ""
    """Of an OpenAI-compatible endpoint, such as `http://127.0.0.1:7860/v1/images/generations`; empty: there is none."""
    model: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """As the endpoint calls it; empty: its own choice."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`settings.toml`."""

    default_model: str = ""
    """A GGUF's path or name, or `starter`; used when neither the command nor the pack names one that is here."""
    unload_minutes: Annotated[float, msgspec.Meta(ge=0)] = 10
    """A model unused for that long is unloaded; 0 keeps it."""
    threads: Annotated[int, msgspec.Meta(ge=0, le=1024)] = 0
    """0: as many as there are physical cores."""
    context: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Window in tokens; 0: what the plan finds for this machine."""
    hub_endpoints: Annotated[tuple[HubEndpoint, ...], msgspec.Meta(min_length=1)] = (HUB,)
    """Where models are pulled from: the hub's address and its mirrors', tried in this order."""
    image: ImageSettings = ImageSettings()


def load_settings(folder: Path) -> Settings:
    """Read `settings.toml` of a folder; without one, the defaults.

    Raises:
        SettingsError: names the file and the key.
    """
    path = folder / "settings.toml"
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return Settings()
    except UnicodeDecodeError as error:
        raise SettingsError(path=path, reason=f"byte {error.start} is not UTF-8") from error
    except OSError as error:
        raise SettingsError(path=path, reason=(error.strerror or str(error)).lower()) from error
    try:
        return msgspec.convert(tomllib.loads(text), Settings)
    except RecursionError as error:
        raise SettingsError(path=path, reason="it is nested too deeply") from error
    except ValueError as error:  # no TOML, a wrong key or value, a number of thousands of digits
        raise SettingsError(path=path, reason=str(error).rstrip(".")) from error


def save_settings(folder: Path, settings: Settings) -> None:
    """Write `settings.toml`, keeping a person's comments; what has its default stays out unless the file states it.

    Raises:
        SettingsError: what is there cannot be read any more.
        SaveError: the disk is full or not writable.
    """
    import tomlkit

    from satchel.runtime.atomic import save_text

    load_settings(folder)
    path = folder / "settings.toml"
    document = tomlkit.parse(path.read_text(encoding="utf-8-sig") if path.exists() else "")
    _merge(document, msgspec.to_builtins(settings), msgspec.to_builtins(Settings()))
    folder.mkdir(parents=True, exist_ok=True)
    save_text(path, tomlkit.dumps(document))


def _merge(target: MutableMapping[str, Any], new: dict[str, Any], defaults: dict[str, Any]) -> None:
    """Bring `target` to `new` with the fewest edits; what has its default stays out unless it is stated."""
    for key, value in new.items():
        plain = list(value) if isinstance(value, tuple) else value
        if key not in target:
            if value != defaults[key]:
                target[key] = plain
        elif isinstance(value, dict):
            _merge(target[key], value, defaults[key])
        elif target[key] != plain:
            target[key] = plain
