"""A real mail server: aiosmtpd on a free port, which it prints as {"port": …}; each mail is a line. Recipients that begin with
"nobody" are refused. It ends with its standard input.
"""

import asyncio
import json
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP


def say(value):
    print(json.dumps(value), flush=True)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody"):
            return "550 No such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        say(
            {
                "envelope_from": envelope.mail_from,
                "envelope_to": envelope.rcpt_tos,
                "from": mail["From"],
                "to": mail["To"],
                "subject": mail["Subject"],
                "type": mail.get_content_type(),
                "has_date": mail["Date"] is not None,
                "text": mail.get_content().replace("\r\n", "\n"),
            }
        )
        return "250 Taken as mail 1"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Handler(), hostname="mail.example"), "127.0.0.1", 0)
    say({"port": server.sockets[0].getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
