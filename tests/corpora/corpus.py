"""The corpora: protos of the world, installed by `make corpora`, and edge cases that are our own."""

import asyncio
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from broker.catalog.catalog import Catalog
from broker.catalog.exposure import Exposed, build
from broker.descriptors.pool import Descriptors, link
from broker.descriptors.sources import ProtoFiles, Protoset
from tests.corpora import edges, rules

FOLDER = Path(__file__).parents[2] / "gen" / "corpora"
_TEMPORAL = FOLDER / "temporalio/temporalio/bridge/sdk-core/crates/protos/protos"
_TEMPORAL_ROOTS = ("api_upstream", "api_cloud_upstream", "testsrv_upstream", "local", "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Corpus:
    """A tree of .proto files."""

    name: str
    import_paths: tuple[Path, ...]
    pattern: str = "**/*.proto"
    """Which files below an import path are meant."""

    @property
    def protoset(self) -> Path:
        """Where all its files are, once they are compiled."""
        return FOLDER / f"{self.name}.binpb"

    def files(self) -> list[str]:
        """Its .proto files, as imports name them; protobuf's own come with the compiler."""
        names = {name for folder in self.import_paths for name in self._names(folder)}
        return sorted(name for name in names if not name.startswith("google/protobuf/"))

    def _names(self, folder: Path) -> list[str]:
        inner = [path for path in self.import_paths if path != folder and path.is_relative_to(folder)]
        return [
            path.relative_to(folder).as_posix()
            for path in folder.glob(self.pattern)
            if not any(map(path.is_relative_to, inner))
        ]


def _installed() -> Path:
    """Where googleapis-common-protos lies, with which the broker itself compiles."""
    spec = find_spec("google.api")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations))).parents[1]


CORPORA = (
    Corpus(
        name="googleapis",
        import_paths=(FOLDER / "node_modules/google-proto-files",),
        pattern="google/**/*.proto",
    ),
    Corpus(name="temporalio", import_paths=tuple(_TEMPORAL / root for root in _TEMPORAL_ROOTS)),
    Corpus(name="googleapis-common-protos", import_paths=(_installed(),), pattern="google/**/*.proto"),
)
"""`make corpora` installs and compiles them; the last is there anyway."""
_OURS = {edges.NAME: edges.descriptors, rules.NAME: rules.descriptors}
NAMES = (*(corpus.name for corpus in CORPORA), *_OURS)


def is_there(name: str) -> bool:
    """Whether a corpus is installed."""
    return name in _OURS or _corpus(name).protoset.exists() or _corpus(name) is CORPORA[-1]


def catalog_of(name: str) -> Catalog:
    """Every method of a corpus as a tool."""
    return build([Exposed(backend=name, descriptors=_descriptors(name))], {})


def _descriptors(name: str) -> Descriptors:
    if name in _OURS:
        return _OURS[name]()
    corpus = _corpus(name)
    compiled = corpus.protoset.exists()
    source = Protoset(corpus.protoset) if compiled else ProtoFiles(corpus.files(), corpus.import_paths)
    return link(asyncio.run(source.load()))


def _corpus(name: str) -> Corpus:
    return next(corpus for corpus in CORPORA if corpus.name == name)
