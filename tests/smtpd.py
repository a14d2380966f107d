#!/usr/bin/env python3
"""A mail server for tests: prints its port, then each mail that it took as a line of JSON.

smtpd.py [--tls CERTIFICATE KEY] [--starttls CERTIFICATE KEY] [--user NAME PASSWORD]
         [--refuse ADDRESS ANSWER] [--refuse-once ADDRESS ANSWER]
"""

import argparse
import asyncio
import json
import ssl
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("--tls", nargs=2)
parser.add_argument("--starttls", nargs=2)
parser.add_argument("--user", nargs=2)
parser.add_argument("--refuse", nargs=2, action="append", default=[])
parser.add_argument("--refuse-once", nargs=2, action="append", default=[])
arguments = parser.parse_args()
refused = dict(arguments.refuse)
refused_once = dict(arguments.refuse_once)


def context(files):
    if files is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


def authenticate(server, session, envelope, mechanism, data):
    del server, session, envelope, mechanism
    given = [data.login.decode(), data.password.decode()]
    # Else it would be for us to answer.
    return AuthResult(success=given == arguments.user, handled=False)


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        del server, session, options
        answer = refused.get(address) or refused_once.pop(address, None)
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = message_from_bytes(envelope.content, policy=policy.default)
        print(
            json.dumps(
                {
                    "sender": envelope.mail_from,
                    "recipients": envelope.rcpt_tos,
                    "tls": server.transport.get_extra_info("ssl_object") is not None,
                    "authenticated": session.authenticated,
                    "defects": [str(defect) for defect in mail.defects],
                    "headers": {name.lower(): str(value) for name, value in mail.items()},
                    "text": mail.get_content(),
                }
            ),
            flush=True,
        )
        return "250 Message accepted for delivery"


def server():
    return SMTP(
        Handler(),
        enable_SMTPUTF8=False,
        tls_context=context(arguments.starttls),
        require_starttls=arguments.starttls is not None,
        auth_required=arguments.user is not None,
        auth_require_tls=False,
        authenticator=authenticate,
    )


async def main():
    listener = await asyncio.get_running_loop().create_server(
        server, "localhost", 0, ssl=context(arguments.tls)
    )
    # Of 127.0.0.1; localhost may be ::1 as well.
    ports = [socket.getsockname()[1] for socket in listener.sockets if len(socket.getsockname()) == 2]
    print(ports[0], flush=True)
    await listener.serve_forever()


asyncio.run(main())
