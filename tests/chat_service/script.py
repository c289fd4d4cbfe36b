"""What the scripted model asks for."""

import json

from tests.chat.conversation import PREFIX

ECHO, DANGEROUS = f"{PREFIX}Echo", f"{PREFIX}Dangerous"


def client_call(call_id: str, name: str = "locate") -> tuple[str, str, str]:
    return (call_id, name, "{}")


def server_call(call_id: str, name: str = ECHO, text: str = "a") -> tuple[str, str, str]:
    return (call_id, name, json.dumps({"text": text}))
