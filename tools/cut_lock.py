"""Cut some packages, with their hashes, out of a locked requirements file (stdin to stdout)."""

import re
import sys

wanted = set(sys.argv[1:])
keep = False
for line in sys.stdin:
    if not line.startswith((" ", "#")):
        keep = re.split(r"[=\[; ]", line, maxsplit=1)[0] in wanted
    if keep:
        sys.stdout.write(line)
