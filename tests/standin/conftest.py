"""Catalogs as a model is offered them: rendered from .proto files, one of which is written here."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from broker import assembly
from broker.config.settings import Settings
from broker.standin import app

Tools = list[dict[str, Any]]

REPOSITORY = Path(__file__).parents[2]
ZOO = """
syntax = "proto3";
package zoo.v1;
import "google/api/field_behavior.proto";
import "google/protobuf/timestamp.proto";

// Looks after the animals.
service ZooService {
  // Adopts an animal for some months.
  rpc AdoptAnimal(AdoptAnimalRequest) returns (Adoption);
}

message AdoptAnimalRequest {
  // The animal's name, e.g. "Kiwi" or "豆豆".
  string animal = 1 [(google.api.field_behavior) = REQUIRED];
  // What it is: KIND_BIRD = 鸟类; KIND_RED_PANDA = 小熊猫; KIND_SEAL = 海豹.
  Kind kind = 2 [(google.api.field_behavior) = REQUIRED];
  // The first day, e.g. 2024-05-01.
  string start_date = 3 [(google.api.field_behavior) = REQUIRED];
  // When the adopter comes to see it.
  google.protobuf.Timestamp visit = 4;
  // For how long.
  int32 months = 5 [(google.api.field_behavior) = REQUIRED];
  // Given each time.
  double donation = 6;
}

message Adoption { string animal = 1; }

enum Kind {
  KIND_UNSPECIFIED = 0;
  KIND_BIRD = 1;
  KIND_RED_PANDA = 2;
  KIND_SEAL = 3;
}
"""


def render(proto: str, folder: Path) -> Tools:
    """What the openai profile makes of a .proto file."""
    backend = {
        "target": "127.0.0.1:1",
        "plaintext": True,
        "descriptors": {"protos": [proto], "import_paths": [str(folder)]},
    }
    settings = Settings.model_validate({"backends": {"one": backend}})
    descriptors = asyncio.run(assembly.load_descriptors(settings.backends))
    return assembly.build_catalog(settings, descriptors).tools(profile="openai")


@pytest.fixture(scope="session")
def weather() -> Tools:
    return render("weather/v1/weather.proto", REPOSITORY / "protos")


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Tools:
    folder = tmp_path_factory.mktemp("zoo")
    (folder / "zoo.proto").write_text(ZOO, encoding="utf-8")
    return render("zoo.proto", folder)


@pytest.fixture
async def client() -> AsyncIterator[AsyncOpenAI]:
    """The real SDK, pointed at the real server."""
    async with app.start() as base_url, AsyncOpenAI(base_url=base_url, api_key="none", max_retries=0) as made:
        yield made
