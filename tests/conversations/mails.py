"""What the sink of the mail service has kept."""

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path


def kept(folder: Path) -> list[EmailMessage]:
    """In the order in which they came."""
    read = (path.read_bytes() for path in sorted(folder.glob("*.eml")))
    return [email.message_from_bytes(data, _class=EmailMessage, policy=email.policy.default) for data in read]
