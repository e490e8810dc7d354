"""The tests of test_kernels.py on the CUDA kernels' text, run by the emulator, and what only those kernels do:

    ARMSEG_KERNELS_LIBRARY=native/build/libarmseg_kernels.so python3 test/python/test_emulated.py
"""

import os
import pathlib
import unittest

import torch

import test_kernels
from test_kernels import BINS, CURVES, SUMS, labels_with_holes, named, random_logits

LIBRARY = os.environ.get("ARMSEG_EMULATED_LIBRARY") or str(pathlib.Path(test_kernels.LIBRARY).with_name("libarmseg_emulated.so"))
torch.ops.load_library(LIBRARY)
emulated, cpu = torch.ops.armseg_emulated, torch.ops.armseg


class Differentiable(torch.autograd.Function):
    """What autograd.cpp does around the device's part."""

    @staticmethod
    def forward(ctx, logits, labels, knots, log_scale, isolated, arguments, options):
        out = emulated._reweighted_loss(logits, labels, knots, log_scale, *arguments, isolated=isolated, logits_gradient=logits.requires_grad or log_scale is not None,
                                        knots_gradient=knots is not None and knots.requires_grad, **options)
        ctx.save_for_backward(*out[4:])
        ctx.like, ctx.isolated = (logits, log_scale), isolated
        ctx.mark_non_differentiable(*out[2:4])
        return out[:4]

    @staticmethod
    def backward(ctx, objective, mean, *_):
        network = mean if ctx.isolated else objective
        scaled = [None if gradient.numel() == 0 else gradient * factor for gradient, factor in zip(ctx.saved_tensors, (network, network, objective))]
        logits, log_scale = ctx.like
        for_logits = None if scaled[0] is None else scaled[0].to(logits.dtype)
        for_log_scale = None if scaled[1] is None else scaled[1].view(log_scale.shape)
        return for_logits, None, scaled[2], for_log_scale, None, None, None


class EmulatedOperators:
    def reweighted_loss(self, logits, labels, knots=None, log_scale=None, *arguments, isolated=False, **options):
        return Differentiable.apply(logits, labels, knots, log_scale, isolated, arguments, options)

    def __getattr__(self, name):
        return getattr(emulated, name)


test_kernels.ops = EmulatedOperators()


class Accuracy(test_kernels.Accuracy):
    pass


class Selection(test_kernels.Selection):
    pass


class Evaluation(test_kernels.Evaluation):
    def test_label_maps_equal_those_of_the_cpu(self):
        for size in test_kernels.SIZES:
            logits = random_logits(size)
            self.assertLessEqual((emulated.predict(logits, size[4:]) != cpu.predict(logits, size[4:])).float().mean().item(), 1e-4)


class Behaviour(test_kernels.KernelTest):
    test_nothing_under_the_ignore_index_is_seen = test_kernels.Behaviour.test_nothing_under_the_ignore_index_is_seen
    test_no_valid_pixel_and_no_weight = test_kernels.Behaviour.test_no_valid_pixel_and_no_weight

    def test_same_bits_every_time(self):
        logits, labels, knots = random_logits((2, 19, 10, 33)), labels_with_holes((2, 40, 131), 19), CURVES["bumpy"](1025)
        first, second = (emulated._reweighted_loss(logits, labels, knots, logits_gradient=True, knots_gradient=True) for _ in range(2))
        for a, b in zip(first, second):
            self.assertTrue(torch.equal(a, b))

    def test_agrees_with_the_cpu(self):
        """Every output, statistics and bins among them, on the paper's setting."""
        logits, labels, knots = random_logits((2, 19, 16, 32)), labels_with_holes((2, 64, 128), 19, dtype=torch.uint8), CURVES["suppress"](1025)
        for options in (dict(), dict(p=3.0, indicator="entropy"), dict(p=1.5, pixel_loss="focal"), dict(p=1.0, statistics=False)):
            actual, expected = (library._reweighted_loss(logits, labels, knots, logits_gradient=True, knots_gradient=True, **options) for library in (emulated, cpu))
            for name, a, e in zip(["objective", "mean", "statistics", "bins", "logits", "log_scale", "knots"], actual, expected):
                if name == "knots":
                    a, e = self.coarse(a), self.coarse(e)
                if name == "bins":
                    a, e = a[:, :1024].reshape(4, 16, 64).sum(2), e[:, :1024].reshape(4, 16, 64).sum(2)
                if name == "statistics" and not options.get("statistics", True):
                    plain = 1 + SUMS.index("loss_sum")  # the sums past it are not formed
                    a, e = a[:plain], e[:plain]
                if a.numel() + e.numel() > 0:
                    self.assert_close(a, e, 1e-3 if name == "bins" else 1e-4, message=f"{name} {options}")

    def test_large_and_small_losses_in_one_bin_sum(self):
        """The fixed-point sums hold losses of 1e4 and of 1e-6 at once."""
        logits, labels = torch.zeros(1, 3, 8, 8), torch.zeros(1, 32, 32, dtype=torch.int64)
        logits[:, 0] = 15
        logits[:, 1, :, 4:] = 2e4
        statistics, bins = emulated._reweighted_loss(logits, labels, CURVES["flat"](9))[2:4]
        sums, bins = named(SUMS, statistics), named(BINS, bins)
        self.assert_close(bins["loss_sum"].sum(), sums["loss_sum"], 1e-9)
        self.assert_close(bins["weight_sum"].sum(), sums["weight_sum"], 1e-9)

    def check_fails_later(self, message, *arguments, **options):
        out = emulated._reweighted_loss(*arguments, logits_gradient=True, **options)
        for one in (out[0], out[1], out[4]):
            self.assertTrue(one.isnan().all())
        good = random_logits((1, 5, 8, 8)), labels_with_holes((1, 32, 32), 5)
        with self.assertRaisesRegex(RuntimeError, message + ".*earlier call"):
            emulated._reweighted_loss(*good)
        self.assertTrue(emulated._reweighted_loss(*good)[0].isfinite())

    def test_errors_come_with_the_next_call(self):
        logits, labels = random_logits((1, 5, 8, 8)), labels_with_holes((1, 32, 32), 5)
        bad = labels.clone()
        bad[0, 3, 7] = 34
        bad[0, 9, 7] = 35
        for target in (bad, bad.byte()):
            self.check_fails_later(r"label 34 at image 0, row 3, column 7 is outside 0\.\.4", logits, target)
            with self.assertRaisesRegex(RuntimeError, "label 34 at image 0, row 3, column 7"):
                emulated.confusion(logits, target)
            with self.assertRaisesRegex(RuntimeError, "label 34 at image 0, row 3, column 7"):
                emulated.pixel_maps(logits, target)
        bad[0, 3, 7] = -1
        self.check_fails_later("label -1 at", logits, bad)
        wrong = logits.clone()
        wrong[0, 2, 4, 4] = float("nan")
        self.check_fails_later(r"not finite at image 0, row 14, column 14", wrong, torch.zeros(1, 32, 32, dtype=torch.int64))
        with self.assertRaisesRegex(RuntimeError, "image 0, class 2, row 4"):
            emulated.predict(wrong, [32, 32])
        with self.assertRaisesRegex(RuntimeError, "not finite at image 0"):
            emulated.confidence(wrong, [32, 32])
        self.check_fails_later("got nan at knot 1", logits, labels, torch.tensor([0.5, float("nan")]))
        self.check_fails_later("got -0.1 at knot 1", logits, labels, torch.tensor([0.5, -0.1, 0.3]))

    def test_many_knots_and_many_classes(self):
        self.compare(random_logits((1, 5, 8, 8)), labels_with_holes((1, 32, 32), 5), CURVES["bumpy"](4097))
        for classes in (33, 150):
            logits, labels = random_logits((1, classes, 5, 9)), labels_with_holes((1, 20, 70), classes)
            for options in (dict(), dict(indicator="std"), dict(indicator="entropy"), dict(pixel_loss="kl", indicator="kl")):
                self.compare(logits, labels, CURVES["bumpy"](65), torch.randn(1, 5, 9) if options.get("pixel_loss") else None, **options)


class Status(unittest.TestCase):
    def test_says_why_there_is_no_gpu(self):
        if torch.cuda.is_available():
            self.skipTest("there is one")
        reason = cpu.cuda_status(0)
        self.assertRegex(reason, "CUDA|cuda|NVIDIA|nvrtc")
        self.assertNotIn("\n", reason)


if __name__ == "__main__":
    torch.set_num_threads(1)
    unittest.main()
