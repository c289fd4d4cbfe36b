"""An update mask → what its description says that it can name."""

from pathlib import Path

import pytest

from broker.descriptors.pool import link
from broker.descriptors.sources import ProtoFiles
from broker.schema.json_schema import input_schema

HEAD = """
syntax = "proto3";
package pens.v1;
import "google/api/field_behavior.proto";
import "google/api/resource.proto";
import "google/api/visibility.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/timestamp.proto";
import "broker/v1/annotations.proto";
message Update { Pen pen = 1; google.protobuf.FieldMask update_mask = 2; %s }
"""
PEN = """
message Pen {
  option (google.api.resource) = {type: "pens.example.com/Pen" pattern: "pens/{pen}"};
  string name = 1;
  string color = 2 [(google.api.field_behavior) = REQUIRED];
  string uid = 3 [(google.api.field_behavior) = IDENTIFIER];
  string maker = 4 [(google.api.field_behavior) = IMMUTABLE];
  string etag = 5 [(google.api.field_behavior) = OUTPUT_ONLY];
  string old = 6 [deprecated = true];
  string note = 7 [(broker.v1.field).hidden = true];
  string margin = 8 [(google.api.field_visibility).restriction = "INTERNAL"];
  google.protobuf.Timestamp sold = 9;
  repeated string tags = 10;
  map<string, string> labels = 11;
  oneof ink { string blue = 12; Pen refill = 13; }
}
"""
WRITABLE = "Writable fields: color, sold, tags, labels, blue, refill."


def numbered(count: int) -> str:
    return f"message Pen {{ {' '.join(f'string f{n} = {n};' for n in range(1, count + 1))} }}"


def listed(count: int) -> str:
    return ", ".join(f"f{n}" for n in range(1, count + 1))


@pytest.mark.parametrize(
    ("more", "pen", "notes"),
    [
        pytest.param("", PEN, [WRITABLE], id="those that models may write, and that can change"),
        pytest.param("bool all = 3;", PEN, [WRITABLE], id="a request with other fields"),
        pytest.param("Pen old = 3;", PEN, [], id="nobody knows of which of two"),
        pytest.param("", numbered(30), [f"Writable fields: {listed(30)}."], id="as many as are listed"),
        pytest.param("", numbered(31), [f"Writable fields: {listed(30)}, …"], id="one more"),
        pytest.param("", "message Pen {}", [], id="none"),
    ],
)
async def test_an_update_mask_says_which_fields_of_the_resource_can_be_changed(
    tmp_path: Path, more: str, pen: str, notes: list[str]
) -> None:
    (tmp_path / "pens.proto").write_text(HEAD % more + pen)
    descriptors = link(await ProtoFiles(("pens.proto",), (tmp_path,)).load())
    form = input_schema(descriptors.pool.FindMessageTypeByName("pens.v1.Update"), descriptors)

    assert list({one.name: one for one in form.properties}["update_mask"].notes) == notes


async def test_of_a_hidden_resource_nothing_is_said(tmp_path: Path) -> None:
    hidden = HEAD.replace("Pen pen = 1;", "Pen pen = 1 [(broker.v1.field).hidden = true];") % "" + PEN
    (tmp_path / "pens.proto").write_text(hidden)
    descriptors = link(await ProtoFiles(("pens.proto",), (tmp_path,)).load())
    form = input_schema(descriptors.pool.FindMessageTypeByName("pens.v1.Update"), descriptors)

    assert [(one.name, one.notes) for one in form.properties] == [("update_mask", ())]
