"""Serves Keystone on a port of 127.0.0.1 (0: any that is free) and says its URL; where there is no database, it is made
first, with an admin. Arguments: configuration, database, port, password of the admin."""

import os
import socket
import sys

from keystone.cmd import cli
from keystone.server.flask import core
from werkzeug.serving import make_server

config, database, port, password = sys.argv[1:]
# Keystone would read them as its own.
del sys.argv[1:]


def manage(*words):
    """What the program keystone-manage does, without loading Keystone once more."""
    child = os.fork()
    if child == 0:
        try:
            cli.main(argv=["keystone-manage", "--config-file", config, *words])
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    if status != 0:
        sys.exit("keystone-manage " + words[0] + " has failed")


listener = socket.create_server(("127.0.0.1", int(port)))
url = "http://127.0.0.1:%d/v3" % listener.getsockname()[1]
if not os.path.exists(database):
    manage("db_sync")
    manage("bootstrap", "--bootstrap-password", password, "--bootstrap-region-id", "RegionOne", "--bootstrap-public-url", url)

application = core.initialize_application("public", config_files=[config])
server = make_server("127.0.0.1", 0, application, threaded=True, fd=listener.fileno())
print(url, flush=True)
server.serve_forever()
