"""The lines of calls at level `debug`, which is for those who look for a mistake, not for secrets."""

import io
import json
from pathlib import Path

from broker import assembly
from broker.call_log import CallLog
from broker.config.settings import LogSettings, Settings
from broker.dispatch import Broker
from broker.tool import ToolCall

VAULT = """
syntax = "proto3";
package vault.v1;
service VaultService { rpc Open(OpenRequest) returns (OpenRequest); }
message OpenRequest { string owner = 1; string pin = 2 [debug_redact = true]; }
"""


async def test_what_the_proto_marks_is_not_in_the_line_of_a_call_at_debug(tmp_path: Path) -> None:
    proto, file = tmp_path / "vault.proto", io.BytesIO()
    proto.write_text(VAULT)
    backend = {"target": "127.0.0.1:1", "plaintext": True, "descriptors": {"protos": [str(proto)]}}
    arguments = '{"owner": "Ann", "pin": "hunter2"}'

    async with assembly.open(Settings.model_validate({"backends": {"vault": backend}})) as opened:
        logged = Broker(
            opened.catalog, opened._invoke, CallLog(LogSettings.model_validate({"level": "debug"}), file)
        )
        for text in (arguments, arguments[:-1]):
            await logged.call(ToolCall(id="call_1", name="vault_v1_VaultService_Open", arguments=text))

    understood, refused = map(json.loads, file.getvalue().splitlines())
    assert json.loads(understood["arguments"]) == {"owner": "Ann", "pin": "[redacted]"}
    assert refused["arguments"] == "(33 characters that were not understood)"
