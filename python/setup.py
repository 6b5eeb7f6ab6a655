"""Builds libcsapp and puts it beside the module, so that the wheel holds all it needs.

The environment variable CSAPP_LIBRARY names a libcsapp.so.1 to bundle instead of building one.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent

# The library's source: beside this directory, and in a source distribution below it.
ROOT = HERE / "library" if (HERE / "library").exists() else HERE.parent
SOURCES = ["Cargo.lock", "Cargo.toml", "LICENSE", "Makefile", "build.rs", "cbindgen.toml", "csapp.ld", "csapp.c.sh", "include", "src",
           *(str(path.relative_to(ROOT)) for path in [*ROOT.glob("*.mk"), *ROOT.glob("examples/*.mk")])]

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


class SourcesToo(sdist):
    """A source distribution that the library can be built from."""

    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        for name in SOURCES:
            target = Path(base_dir, "library", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, target)


class WithMachineCode(Distribution):
    """A distribution for this platform alone, since the library is machine code."""

    def has_ext_modules(self):
        return True


class AnyPython(bdist_wheel):
    """A wheel for any Python 3, since ctypes does not mind which, and for every Linux whose glibc has the versions of
    symbols that the library needs (PEP 600)."""

    def get_tag(self):
        platform = super().get_tag()[2]
        bundled = Path(self.bdist_dir, "csapp", SONAME).read_bytes()
        needed = [(int(major), int(minor)) for major, minor in re.findall(rb"\0GLIBC_(\d+)\.(\d+)", bundled)]
        if needed and platform.startswith("linux_"):
            platform = "manylinux_{}_{}_".format(*max(needed)) + platform.removeprefix("linux_")
        return "py3", "none", platform


setup(
    version=version(),
    distclass=WithMachineCode,
    cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": AnyPython, "sdist": SourcesToo},
)
