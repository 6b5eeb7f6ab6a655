"""Builds libcsapp and puts it beside the module, so that the wheel holds all it needs.

The environment variable CSAPP_LIBRARY names a libcsapp.so.1 to bundle instead of building one.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent.parent
SONAME = "libcsapp.so.1"


def version():
    """The library's version, which is the module's as well."""
    return re.search(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE).group(1)


def library():
    """The library to bundle."""
    chosen = os.environ.get("CSAPP_LIBRARY")
    if chosen:
        return Path(chosen)
    subprocess.run(["make", "-C", ROOT, "all"], check=True)
    return ROOT / os.environ.get("BUILD", "build") / SONAME


class BuildWithLibrary(build_py):
    """Copies the package, and the library into it."""

    def run(self):
        super().run()
        shutil.copy(library(), Path(self.build_lib) / "csapp" / SONAME)


class PlatformWheel(bdist_wheel):
    """Any Python 3, but this platform alone: the library is machine code."""

    def finalize_options(self):
        super().finalize_options()
        self.root_is_pure = False

    def get_tag(self):
        return "py3", "none", super().get_tag()[2]


setup(version=version(), cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": PlatformWheel})
