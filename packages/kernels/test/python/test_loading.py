"""How the library finds CUDA, compiles its kernels and keeps them, with stand-ins for the driver and NVRTC. Needs a C compiler:

    ARMSEG_KERNELS_LIBRARY=native/build/libarmseg_kernels.so python3 test/python/test_loading.py
"""

import itertools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
LIBRARY = os.environ.get("ARMSEG_KERNELS_LIBRARY") or str(HERE.parents[1] / "native" / "build" / "libarmseg_kernels.so")
SOURCE = HERE.parent / "emulation" / "fake_cuda.c"
COMPILER = shutil.which("cc") or shutil.which("gcc")
# Folders as of a pip-installed PyTorch. The loader reads LD_LIBRARY_PATH at its start: main() starts this file anew.
ROOT = pathlib.Path(os.environ.get("FAKE_ROOT", "/nowhere"))
DRIVER, STREAMS, NVRTC = ROOT / "driver" / "libcuda.so.1", ROOT / "torch" / "lib" / "libc10_cuda.so", ROOT / "nvidia" / "cu13" / "lib" / "libnvrtc.so.13"
devices = itertools.count()


def make(part, target, *options):
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([COMPILER, "-shared", "-fPIC", f"-D{part}", *options, "-o", target, SOURCE], check=True)


class Loading(unittest.TestCase):
    def setUp(self):
        for part, target in (("DRIVER", DRIVER), ("STREAMS", STREAMS), ("NVRTC", NVRTC)):
            if not target.exists():
                make(part, target)
        shutil.rmtree(ROOT / "cache", ignore_errors=True)
        (ROOT / "log").write_text("")

    def status(self, **environment):
        """Of a device that nobody asked for yet, since the answer about one is kept."""
        with mock.patch.dict(os.environ, {"XDG_CACHE_HOME": str(ROOT / "cache"), "FAKE_LOG": str(ROOT / "log"), **environment}):
            device = next(devices)
            status = ops.cuda_status(device)
            self.assertEqual(ops.cuda_status(device), status)
            self.assertNotIn("\n", status)
            return status

    def compiled(self):
        return (ROOT / "log").read_text().split()

    def kept_files(self):
        return list((ROOT / "cache" / "armseg" / "kernels").iterdir())

    def test_0_missing_libraries_are_named(self):
        """First, since a library that was found once stays."""
        for target, message in ((STREAMS, r"PyTorch's CUDA part was not found \(looked for libc10_cuda.so\); choose a libtorch with CUDA"),
                                (DRIVER, r"the NVIDIA driver was not found \(looked for libcuda.so.1\); install it"),
                                (NVRTC, r"NVRTC.* was not found \(looked for libnvrtc.so.13, .*\); install")):
            target.unlink()
            self.assertRegex(self.status(), message)
            self.setUp()

    def test_code_is_made_once_and_kept(self):
        self.assertEqual([self.status(), self.status()], ["", ""])
        self.assertEqual(self.compiled(), ["--gpu-architecture=sm_90"])
        kept, = self.kept_files()
        self.assertTrue(kept.read_bytes().endswith(b"CODE\0"))

    def test_a_damaged_file_is_made_again(self):
        self.status()
        kept, = self.kept_files()
        for content in (b"", b"short", kept.read_bytes()[:-1] + b"?"):
            kept.write_bytes(content)
            self.assertEqual(self.status(), "")
        self.assertEqual(len(self.compiled()), 4)
        self.assertEqual(self.status(), "")
        self.assertEqual(len(self.compiled()), 4)

    def test_a_cache_that_cannot_be_written_is_no_error(self):
        self.assertEqual(self.status(XDG_CACHE_HOME="/proc/nowhere"), "")
        self.assertEqual(self.status(XDG_CACHE_HOME="", HOME=""), "")
        self.assertEqual(len(self.compiled()), 2)

    def test_a_newer_gpu_gets_ptx(self):
        self.assertEqual(self.status(FAKE_OLD="1"), "")
        self.assertEqual(self.compiled(), ["--gpu-architecture=compute_86"])

    def test_reasons(self):
        self.assertRegex(self.status(FAKE_FAIL="1"), r"nvrtcCompileProgram of NVRTC 13\.0 failed with 6 \(armseg.cu\(7\): error: of no account\)")
        self.assertRegex(self.status(FAKE_REFUSE="1"), "driver refuses.*sm_90; update")
        self.assertRegex(self.status(FAKE_ABSENT="1"), "cuDeviceGet failed: broken; check the GPU")
        self.assertRegex(ops.cuda_status(-1), "no CUDA device -1")
        NVRTC.unlink()
        make("NVRTC", NVRTC.with_name("libnvrtc.so.12"), "-DWITHOUT_PTX")
        self.addCleanup(NVRTC.with_name("libnvrtc.so.12").unlink)
        self.assertRegex(self.status(), "NVRTC.* lacks nvrtcGetPTXSize; install")


def main():
    if not COMPILER:
        sys.exit("test_loading.py: no C compiler found; install gcc")
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        paths = f"{root / 'driver'}:{root / 'torch' / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}"
        for searched in ("driver", "torch/lib"):  # the loader forgets folders that are not there
            (root / searched).mkdir(parents=True)
        environment = {**os.environ, "FAKE_ROOT": folder, "LD_LIBRARY_PATH": paths}
        sys.exit(subprocess.run([sys.executable, __file__], env=environment).returncode)


if __name__ == "__main__":
    if "FAKE_ROOT" not in os.environ:
        main()
    import torch
    torch.ops.load_library(LIBRARY)
    ops = torch.ops.armseg
    unittest.main()
