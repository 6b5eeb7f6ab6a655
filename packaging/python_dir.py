"""Prints where modules go for the Python that runs this, given an installation prefix.

usage: python_dir.py PREFIX
"""

import os.path
import site
import sys
import sysconfig


def module_directory(prefix):
    """A directory under prefix that this Python searches, or else the one that it would search
    if it were installed there."""
    for directory in site.getsitepackages():
        if os.path.commonpath([os.path.abspath(prefix), directory]) == os.path.abspath(prefix):
            if prefix != "/usr" or not directory.startswith("/usr/local/"):
                return directory
    return sysconfig.get_path("purelib", "posix_prefix", vars={"base": prefix})


if len(sys.argv) != 2:
    sys.exit(__doc__.strip())
print(module_directory(sys.argv[1]))
