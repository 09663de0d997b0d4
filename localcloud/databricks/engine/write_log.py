"""Copies what a server prints into its log, without the token: pyspark's workers print the address with it.

A script and a process of its own, so that a server which outlives the workspace can go on printing.
"""

import os
import sys

with open(sys.argv[1], "wb", buffering=0) as log:  # noqa: PTH123 - a path costs an import
    token = os.environb[b"SPARK_CONNECT_AUTHENTICATE_TOKEN"]
    log.writelines(line.replace(token, b"[REDACTED]") for line in sys.stdin.buffer)
