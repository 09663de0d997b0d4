"""A `java` that is up at once and knows nothing of Spark: for tests of what the workspace does around its clusters.

It stands where Spark Connect's server would, and answers every call with UNIMPLEMENTED.
"""

import sys
from pathlib import Path

_PROGRAM = """\
#!{python}
import re, sys, threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

arguments = Path(sys.argv[1].removeprefix("@")).read_text()
port = re.search(r"binding\\.port=(\\d+)", arguments)[1]
server = grpc.server(ThreadPoolExecutor(max_workers=1))
server.add_insecure_port("127.0.0.1:" + port)
server.start()
threading.Event().wait()
"""


def install_java(folder: Path) -> Path:
    """Puts the program into the folder, which then goes before the others of PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "java"
    program.write_text(_PROGRAM.format(python=sys.executable))
    program.chmod(0o700)
    return folder
