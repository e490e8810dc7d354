"""Tests of libarmseg_kernels against the composed float64 reference. Needs only PyTorch:

    ARMSEG_KERNELS_LIBRARY=native/build/libarmseg_kernels.so python3 test/python/test_kernels.py
"""

import itertools
import os
import pathlib
import random
import subprocess
import sys
import unittest

import torch

import reference

LIBRARY = os.environ.get("ARMSEG_KERNELS_LIBRARY") or str(
    pathlib.Path(__file__).resolve().parents[2] / "native" / "build" / "libarmseg_kernels.so")
torch.ops.load_library(LIBRARY)
ops = torch.ops.armseg

INDICATORS = ["var", "std", "logVar", "entropy", "kl"]
LOSSES = ["ce", "gce", "focal", "kl"]
POWERS = [1.0, 2.0, 3.0, 1.5]
SUMS, BINS = ops.loss_layout()
CURVES = {
    "none": lambda count: None,
    "suppress": lambda count: torch.linspace(1, 0, count),
    "focus": lambda count: torch.linspace(0, 1, count),
    # 16 random pieces, whatever the knots: steeper ones would only magnify the rounding of the confidence.
    "bumpy": lambda count: 0.05 + reference.curve(torch.rand(17), torch.linspace(-1, 1, count)),
    "flat": lambda count: torch.ones(count),
}
# N, C, h, w, H, W: scale factors 4 and others, odd sizes, both directions, identity, one pixel, many and few classes.
SIZES = [(2, 19, 8, 16, 32, 64), (1, 2, 5, 7, 33, 47), (2, 4, 31, 33, 13, 17), (1, 3, 9, 9, 9, 9), (2, 5, 20, 20, 21, 23), (1, 7, 1, 1, 5, 6),
         (1, 40, 9, 40, 18, 80), (2, 3, 4, 6, 64, 96), (1, 256, 3, 4, 7, 33), (3, 6, 2, 70, 7, 75), (1, 3, 300, 2, 150, 37)]


def labels_with_holes(shape, classes, ignored=0.2, dtype=torch.int64):
    labels = torch.randint(0, classes, shape)
    labels[torch.rand(shape) < ignored] = 255
    return labels.to(dtype)


def random_logits(size, scale=3.0):
    n, c, h, w = size[:4]
    return torch.randn(n, c, h, w) * scale


def call(logits, labels, knots=None, log_scale=None, *args, **options):
    """Objective, mean and the gradients of logits, knots and log_scale, of the kernel or (float64 input) of the reference."""
    leaves = [None if x is None else x.detach().clone(memory_format=torch.preserve_format).requires_grad_() for x in (logits, knots, log_scale)]
    function = reference.reweighted_loss if logits.dtype == torch.float64 else ops.reweighted_loss
    out = function(leaves[0], labels, leaves[1], leaves[2], *args, **options)
    out[0].backward()
    return [out[0].detach(), out[1].detach(), *(None if x is None else x.grad if x.grad is not None else torch.zeros_like(x) for x in leaves)]


def double(x):
    return None if x is None else x.double()


def named(names, rows):
    """The elements of `statistics` or the rows of `bins`, by the names that the library gives them."""
    return dict(zip(names, rows))


class KernelTest(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(sum(map(ord, self.id())))

    def assert_close(self, actual, expected, relative=1e-4, floor=1e-7, message=""):
        if expected is None:
            return
        self.assertEqual(actual.shape, expected.shape)
        error = (actual.double() - expected.double()).abs().max().item()
        size = expected.double().abs().max().item()
        self.assertLessEqual(error, relative * size + floor, message)

    def coarse(self, gradient):
        """A gradient of many knots as that of a curve with 16 pieces: what a module behind the knots gets.

        A knot of 1025 on its own is no fair judge: float32 places a pixel between its knots to about 1e-4 of their
        distance.
        """
        count = gradient.shape[0]
        if count <= 65:
            return gradient
        position = torch.linspace(0, 16, count, dtype=torch.float64)
        hats = (1 - (position[None] - torch.arange(17, dtype=torch.float64)[:, None]).abs()).clamp(min=0)
        return hats @ gradient.double()

    def compare(self, logits, labels, knots=None, log_scale=None, *args, message="", relative=1e-4, **options):
        actual = call(logits, labels, knots, log_scale, *args, **options)
        expected = call(logits.double(), labels, double(knots), double(log_scale), *(double(x) for x in args), **options)
        for name, a, e in zip(["objective", "mean", "logits", "knots", "log_scale"], actual, expected):
            # Where all confidences are equal the knots' gradient cancels to 0; what remains is rounding of the loss.
            floor = 1e-6 * expected[1].abs().item() if name == "knots" else 1e-8
            if name == "knots" and e is not None:
                a, e = self.coarse(a), self.coarse(e)
            self.assert_close(a, e, relative, floor, f"{name} {message}")


class Accuracy(KernelTest):
    def test_every_indicator_loss_and_power(self):
        for indicator, loss, p in itertools.product(INDICATORS, LOSSES, POWERS):
            with self.subTest(indicator=indicator, pixel_loss=loss, p=p):
                logits, labels = random_logits((2, 5, 7, 9)), labels_with_holes((2, 25, 37), 5)
                log_scale = torch.randn(2, 7, 9) * 0.5 if "kl" in (indicator, loss) else None
                self.compare(logits, labels, CURVES["bumpy"](65), log_scale, indicator=indicator, pixel_loss=loss, p=p)

    def test_every_size_and_curve(self):
        for size, (name, curve) in itertools.product(SIZES, CURVES.items()):
            with self.subTest(size=size, curve=name):
                labels = labels_with_holes((size[0], *size[4:]), size[1], ignored=random.choice([0.0, 0.3, 0.95]))
                self.compare(random_logits(size), labels, curve(1025))

    def test_regions_of_one_label(self):
        labels = torch.zeros(2, 64, 128, dtype=torch.uint8)
        labels[:, :, 40:] = 3
        labels[:, 30:, 60:] = 255
        labels[:, 50:, :20] = 1
        for loss in ["ce", "focal"]:
            self.compare(random_logits((2, 5, 16, 32)), labels, CURVES["suppress"](257), pixel_loss=loss)

    def test_options(self):
        logits, labels = random_logits((2, 6, 8, 8)), labels_with_holes((2, 32, 32), 6)
        log_scale = torch.randn(2, 1, 8, 8)
        cases = [dict(pixel_loss="gce", q=0.7), dict(pixel_loss="gce", q=1.0), dict(pixel_loss="focal", gamma=0.5), dict(pixel_loss="focal", gamma=1.0), dict(pixel_loss="focal", gamma=0.0),
                 dict(pixel_loss="focal", gamma=3.5), dict(p=7.0), dict(ignore_index=3), dict(pixel_loss="kl", indicator="kl")]
        for options in cases:
            with self.subTest(**options):
                if "ignore_index" in options:
                    labels = torch.randint(0, 6, (2, 32, 32))
                self.compare(logits, labels, CURVES["bumpy"](33), log_scale if options.get("pixel_loss") == "kl" else None, **options)

    def test_weights_of_classes_and_pixels(self):
        logits, labels = random_logits((2, 6, 8, 8)), labels_with_holes((2, 32, 30), 6)
        class_weights, pixel_weights = torch.rand(6), torch.rand(2, 32, 30)
        for knots in (None, CURVES["bumpy"](33)):
            self.compare(logits, labels, knots, None, class_weights, pixel_weights)
        sums = named(SUMS, ops.reweighted_loss(logits, labels, None, None, class_weights, pixel_weights)[2])
        valid = labels != 255
        self.assert_close(sums["pixel_weight_sum"], (class_weights[labels.clamp(max=5)] * pixel_weights)[valid].sum().double())
        weighted = ops.reweighted_loss(logits, labels, None, None, class_weights)
        theirs = torch.nn.functional.cross_entropy(reference.upsample(logits, (32, 30)), labels, class_weights, ignore_index=255)
        sums = named(SUMS, weighted[2])
        self.assert_close(weighted[1] * sums["kept_pixels"] / sums["pixel_weight_sum"], theirs)

    def test_mean_over_all_pixels(self):
        logits, labels = random_logits((2, 6, 8, 8)), labels_with_holes((2, 32, 30), 6)
        self.compare(logits, labels, None, normalise="all")

    def test_half_precisions_and_formats(self):
        size = (2, 19, 16, 24)
        labels, knots = labels_with_holes((2, 64, 96), 19, dtype=torch.uint8), CURVES["suppress"](1025)
        for dtype in (torch.float16, torch.bfloat16):
            logits = random_logits(size).to(dtype)
            exact = call(logits.float(), labels, knots)
            actual = call(logits, labels, knots)
            self.assertEqual(actual[2].dtype, dtype)
            self.assert_close(actual[0], exact[0], 1e-6)
            self.assert_close(actual[2], exact[2], 1e-2)
        logits = random_logits(size)
        plain = call(logits, labels, knots)
        views = [logits.contiguous(memory_format=torch.channels_last), logits.transpose(2, 3).contiguous().transpose(2, 3),
                 torch.cat([logits, logits], 1)[:, :19]]
        for view in views:
            for a, e in zip(call(view, labels, knots)[:4], plain):
                self.assertTrue(torch.equal(a, e))
        self.assertTrue(torch.equal(call(logits, labels.long(), knots)[2], plain[2]))

    def test_saturated_logits(self):
        labels = labels_with_holes((1, 24, 24), 4)
        for scale in (1e2, 1e4):
            logits = torch.randint(-1, 2, (1, 4, 6, 6)).float() * scale
            for indicator in INDICATORS[:4]:
                self.compare(logits, labels, CURVES["suppress"](1025), indicator=indicator)

    def test_confident_image(self):
        """Losses far below float32's resolution of 1 keep their relative accuracy."""
        labels = torch.zeros(1, 32, 32, dtype=torch.int64)
        logits = torch.cat([torch.full((1, 1, 8, 8), 25.0), torch.rand(1, 4, 8, 8)], 1)
        for loss in ("ce", "gce"):
            self.compare(logits, labels, CURVES["bumpy"](33), pixel_loss=loss)

    def test_one_class_present(self):
        labels = torch.full((2, 32, 32), 2)
        self.compare(random_logits((2, 5, 8, 8)), labels, CURVES["bumpy"](65))

    def test_tiny_weights(self):
        """Scaling the curve changes neither objective nor network gradient, however small its values."""
        logits, labels, knots = random_logits((1, 5, 8, 8)), labels_with_holes((1, 32, 32), 5), CURVES["bumpy"](65)
        for p in POWERS:
            base = call(logits, labels, knots, p=p)
            tiny = call(logits, labels, knots * 1e-25, p=p)
            self.assert_close(tiny[0], base[0], 1e-6)
            self.assert_close(tiny[2], base[2], 1e-5)
            self.assert_close(tiny[3] * 1e-25, base[3], 1e-4)

    def test_isolated_phase(self):
        logits, labels, knots = random_logits((2, 5, 8, 8)), labels_with_holes((2, 32, 32), 5), CURVES["bumpy"](65)
        z, k = logits.clone().requires_grad_(), knots.clone().requires_grad_()
        out = ops.reweighted_loss(z, labels, k, isolated=True)
        (out[0] + out[1]).backward()
        joint, plain = call(logits, labels, knots), call(logits, labels)
        self.assertTrue(torch.equal(out[0], joint[0]) and torch.equal(out[1], joint[1]))
        self.assert_close(z.grad, plain[2], 1e-6)
        self.assert_close(k.grad, joint[3], 1e-6)

    def test_statistics_and_bins(self):
        logits, labels, knots = random_logits((2, 5, 8, 8)), labels_with_holes((2, 32, 32), 5), CURVES["bumpy"](9)
        for p in POWERS:
            _, _, statistics, bins = ops.reweighted_loss(logits, labels, knots, p=p)
            _, _, weights, losses = reference.reweighted_loss(logits.double(), labels, knots.double(), p=p)
            count, power = losses.numel(), weights.pow(p - 1)
            expected = dict(valid_pixels=count, kept_pixels=count, weight_sum=weights.sum(), weight_power_sum=weights.pow(p).sum(), weighted_loss_sum=(weights * losses).sum(),
                            loss_sum=losses.sum(), pixel_weight_sum=count, weight_square_sum=weights.pow(2).sum())
            sums, bins = named(SUMS, statistics), named(BINS, bins)
            for name, value in expected.items():
                self.assert_close(sums[name], torch.as_tensor(value, dtype=torch.float64), 1e-5, message=name)
            for name, value in dict(count=count, weight_sum=weights.sum(), loss_sum=losses.sum(), weight_power_sum=power.sum()).items():
                self.assert_close(bins[name].sum(), torch.as_tensor(value, dtype=torch.float64), 1e-5, message=name)
            level = sums["weighted_loss_sum"] / sums["weight_power_sum"]
            gradient = (bins["loss_sum"] - level * bins["weight_power_sum"]) / sums["weight_sum"]
            self.assert_close(gradient, call(logits, labels, knots, p=p)[3].double(), 1e-4)

    def test_random_cases(self):
        seed = random.randrange(1 << 30)
        source = random.Random(seed)
        torch.manual_seed(seed)
        for _ in range(40):
            size = [source.randint(1, 3), source.choice([2, 3, 19, 21]), *(source.randint(1, 24) for _ in range(2)), *(source.randint(8, 90) for _ in range(2))]
            options = dict(indicator=source.choice(INDICATORS), pixel_loss=source.choice(LOSSES), p=source.choice(POWERS))
            labels = labels_with_holes((size[0], *size[4:]), size[1], source.choice([0, 0.1, 0.9]), source.choice([torch.uint8, torch.int64]))
            if not (labels != 255).any():
                continue
            log_scale = torch.randn(size[0], *size[2:4]) if "kl" in options.values() else None
            # Not a curve that starts at 0 with logVar: where it leaves its clamp at t = 1e-4, float32's rounding of the
            # logits moves a weight near 0 by more than 1e-4 of it, and w^(p - 1) magnifies that for p < 2.
            curves = [name for name in CURVES if name != "focus" or options["indicator"] != "logVar"]
            knots = CURVES[source.choice(curves)](source.choice([2, 17, 1025]))
            self.compare(random_logits(size, source.choice([0.5, 3, 10])), labels, knots, log_scale, message=f"seed {seed} {size} {options}", **options)


class Behaviour(KernelTest):
    def test_same_bits_with_any_number_of_threads(self):
        logits, labels, knots = random_logits((2, 19, 40, 33)), labels_with_holes((2, 160, 131), 19), CURVES["bumpy"](1025)
        results = []
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            results.append([*call(logits, labels, knots)[:4], *ops.reweighted_loss(logits, labels, knots)[2:]])
        torch.set_num_threads(2)
        for other in results[1:]:
            for a, b in zip(results[0], other):
                self.assertTrue(torch.equal(a, b))

    def test_nothing_under_the_ignore_index_is_seen(self):
        logits, labels, knots = random_logits((1, 5, 16, 16)), labels_with_holes((1, 64, 64), 5), CURVES["bumpy"](65)
        labels[:, 20:44, 20:44] = 255
        base = call(logits, labels, knots)
        for poison in (float("nan"), float("inf"), 1e30):
            changed = logits.clone()
            changed[:, :, 8, 8] = poison
            for a, b in zip(call(changed, labels, knots)[:4], base):
                self.assertTrue(torch.equal(a, b))

    def test_no_valid_pixel_and_no_weight(self):
        logits, labels = random_logits((1, 5, 8, 8)), labels_with_holes((1, 32, 32), 5)
        for target, knots in ((torch.full_like(labels, 255), CURVES["bumpy"](65)), (torch.full_like(labels, 255), None), (labels, torch.zeros(65))):
            out = call(logits, target, knots)
            self.assertEqual(out[0].item(), 0)
            self.assertTrue((out[2] == 0).all())
            self.assertTrue(knots is None or (out[3] == 0).all())

    def test_errors_name_the_value(self):
        logits, labels = random_logits((1, 5, 8, 8)), labels_with_holes((1, 32, 32), 5)
        bad = labels.clone()
        bad[0, 3, 7] = 34
        for target in (bad, bad.byte()):
            with self.assertRaisesRegex(RuntimeError, r"label 34 at image 0, row 3, column 7 is outside 0\.\.4"):
                ops.reweighted_loss(logits, target)
            with self.assertRaisesRegex(RuntimeError, "label 34 at image 0, row 3, column 7"):
                ops.confusion(logits, target)
        for value in (-1, -100, 1 << 40):
            bad[0, 3, 7] = value
            with self.assertRaisesRegex(RuntimeError, f"label {value} at"):
                ops.reweighted_loss(logits, bad)
        wrong = logits.clone()
        wrong[0, 2, 4, 4] = float("nan")
        with self.assertRaisesRegex(RuntimeError, r"not finite at image 0, row 14, column 14.*NaN"):
            ops.reweighted_loss(wrong, torch.zeros(1, 32, 32, dtype=torch.int64))
        with self.assertRaisesRegex(RuntimeError, "image 0, class 2, row 4"):
            ops.predict(wrong, [32, 32])
        for arguments, options, message in [((logits.double(), labels), {}, "float64|Double|double"), ((logits, labels.int()), {}, "uint8 or int64"),
                                            ((logits, labels[:, :, 0]), {}, r"\[N, H, W\]"), ((logits, labels), dict(indicator="variance"), "var, std"),
                                            ((logits, labels), dict(pixel_loss="dice"), "ce, gce"), ((logits, labels), dict(p=0.5), "at least 1"),
                                            ((logits, labels), dict(pixel_loss="kl"), "log_scale"), ((logits, labels, torch.tensor([0.5, float("nan")])), {}, "finite"),
                                            ((logits, labels, torch.tensor([0.5, -0.1])), {}, "negative"), ((logits[:, :1], labels), {}, "2 to 256")]:
            with self.assertRaisesRegex(RuntimeError, message):
                ops.reweighted_loss(*arguments, **options)

    def test_gradients_only_where_wanted(self):
        logits, labels, knots = random_logits((1, 5, 8, 8)), labels_with_holes((1, 32, 32), 5), CURVES["bumpy"](65)
        for z, k in ((True, False), (False, True)):
            a, b = logits.clone().requires_grad_(z), knots.clone().requires_grad_(k)
            ops.reweighted_loss(a, labels, b)[0].mul(3).backward()
            full = call(logits, labels, knots)
            self.assertEqual(a.grad is not None, z)
            self.assertEqual(b.grad is not None, k)
            self.assert_close(a.grad if z else b.grad, 3 * (full[2] if z else full[3]), 1e-6)
        self.assertFalse(ops.reweighted_loss(logits, labels, knots)[0].requires_grad)
        with torch.no_grad():
            self.assertFalse(ops.reweighted_loss(a.requires_grad_(), labels, knots)[0].requires_grad)
        with torch.inference_mode():
            ops.reweighted_loss(logits, labels, knots)

    def test_no_second_derivative(self):
        logits, labels = random_logits((1, 5, 8, 8)).requires_grad_(), labels_with_holes((1, 32, 32), 5)
        first, = torch.autograd.grad(ops.reweighted_loss(logits, labels)[0], logits, create_graph=True)
        with self.assertRaisesRegex(RuntimeError, "no second derivative"):
            first.sum().backward()

    def test_graph_can_be_kept(self):
        logits, labels = random_logits((1, 5, 8, 8)).requires_grad_(), labels_with_holes((1, 32, 32), 5)
        loss = ops.reweighted_loss(logits, labels)[0]
        loss.backward(retain_graph=True)
        once = logits.grad.clone()
        loss.backward()
        self.assertTrue(torch.equal(logits.grad, 2 * once))


class Selection(KernelTest):
    def test_threshold_equals_the_sorted_one(self):
        for scale, kept in itertools.product((0.5, 3.0, 15.0), (0, 10, 1000, 10**6)):
            logits, labels = random_logits((2, 7, 16, 16), scale), labels_with_holes((2, 64, 64), 7)
            self.assert_close(ops.ohem_threshold(logits, labels, min_kept=kept), reference.ohem_threshold(logits, labels, min_kept=kept), 1e-5)
        self.assertAlmostEqual(ops.ohem_threshold(logits, torch.full_like(labels, 255)).item(), 0.7, 6)

    def test_large_ignored_regions(self):
        """Whatever the memory of the maps held before."""
        logits, labels = random_logits((2, 7, 16, 16), 3.0), torch.randint(0, 7, (2, 64, 64))
        labels[:, :40] = 255
        for value in (-1.0, 0.5, float("nan")):
            stale = [torch.full((2, 64, 64), value) for _ in range(8)]
            del stale
            for kept in (0, 100, 10**6):
                self.assert_close(ops.ohem_threshold(logits, labels, min_kept=kept), reference.ohem_threshold(logits, labels, min_kept=kept), 1e-5)
            for one in ops.pixel_maps(logits, labels)[1:]:
                self.assertTrue((one[:, :40] == 0).all())

    def test_exactly_so_many_are_kept(self):
        logits, labels = random_logits((2, 7, 16, 16), 15.0), labels_with_holes((2, 64, 64), 7)
        labels = torch.where((torch.rand(labels.shape) < 0.9) & (labels != 255), ops.predict(logits, [64, 64]).long(), labels)
        for kept, indicator in itertools.product((3000, 4000), INDICATORS[:4]):
            threshold = ops.ohem_threshold(logits, labels, min_kept=kept)
            sums = named(SUMS, ops.reweighted_loss(logits, labels, None, None, None, None, threshold, indicator=indicator)[2])
            likelihood = ops.pixel_maps(logits, labels)[3][labels != 255]
            self.assertEqual(sums["kept_pixels"].item(), (likelihood < threshold).sum().item())
            self.assertGreater(threshold.item(), 0.7)
            self.assertEqual(sums["kept_pixels"].item(), kept)

    def test_loss_over_the_kept(self):
        logits, labels = random_logits((2, 7, 16, 16)), labels_with_holes((2, 64, 64), 7)
        for knots in (None, CURVES["bumpy"](65)):
            threshold = ops.ohem_threshold(logits, labels, min_kept=100)
            self.compare(logits, labels, knots, None, None, None, threshold)


class Evaluation(KernelTest):
    def test_confusion_and_prediction(self):
        for size in SIZES:
            logits, target = random_logits(size), size[4:]
            expected = reference.upsample(logits, target).argmax(1)
            different = ops.predict(logits, list(target)) != expected
            self.assertLessEqual(different.float().mean().item(), 1e-4, f"{size}")
            prediction = ops.predict(logits, list(target)).long()
            for dtype in (torch.uint8, torch.int64):
                labels = torch.randint(0, size[1], (size[0], *target))
                if size[1] < 256:
                    labels[torch.rand(labels.shape) < 0.3] = 255
                labels = labels.to(dtype)
                ignore = 255 if size[1] < 256 else -1
                valid = labels.long() != ignore
                counts = torch.bincount(labels[valid].long() * size[1] + prediction[valid], minlength=size[1] ** 2).reshape(size[1], size[1])
                self.assertTrue(torch.equal(ops.confusion(logits, labels, ignore_index=ignore), counts))

    def test_ties_fall_to_the_lowest_class(self):
        logits = torch.zeros(1, 9, 4, 4)
        self.assertTrue((ops.predict(logits, [16, 16]) == 0).all())
        logits[:, 3:6] = 1
        self.assertTrue((ops.predict(logits, [16, 16]) == 3).all())

    def test_half_precision_and_format(self):
        logits = random_logits((1, 19, 16, 16))
        expected = ops.predict(logits, [64, 64])
        self.assertTrue(torch.equal(ops.predict(logits.contiguous(memory_format=torch.channels_last), [64, 64]), expected))
        low = logits.bfloat16()
        self.assertTrue(torch.equal(ops.predict(low, [64, 64]), ops.predict(low.float(), [64, 64])))

    def test_maps(self):
        logits, labels, knots = random_logits((2, 5, 9, 11)), labels_with_holes((2, 37, 45), 5), CURVES["bumpy"](65)
        for indicator in INDICATORS[:4]:
            confidence, loss, weight, likelihood = ops.pixel_maps(logits, labels, knots, indicator=indicator)
            log_p = torch.log_softmax(reference.upsample(logits.double(), (37, 45)), 1)
            u = reference.confidence(log_p, indicator)
            valid = labels != 255
            self.assert_close(confidence, u, 2e-6 if indicator != "logVar" else 1e-4)
            self.assertTrue(torch.equal(confidence, ops.confidence(logits, [37, 45], indicator=indicator)))
            chosen = log_p.gather(1, labels.clamp(max=4)[:, None])[:, 0]
            self.assert_close(loss, torch.where(valid, -chosen, torch.zeros_like(chosen)))
            self.assert_close(likelihood, torch.where(valid, chosen.exp(), torch.zeros_like(chosen)))
            self.assert_close(weight, torch.where(valid, reference.curve(knots.double(), u), torch.zeros_like(u)), 1e-3)


class OlderProcessors(unittest.TestCase):
    def test_every_instruction_set(self):
        order = ["baseline", "avx2", "avx512"]
        for name in order[: order.index(ops.cpu_capability())]:
            environment = {**os.environ, "ARMSEG_CPU_CAPABILITY": name}
            check = f"import torch; torch.ops.load_library({LIBRARY!r}); assert torch.ops.armseg.cpu_capability() == {name!r}"
            subprocess.run([sys.executable, "-c", check], env=environment, check=True)
            tests = ["Accuracy.test_every_indicator_loss_and_power", "Accuracy.test_every_size_and_curve", "Behaviour", "Selection", "Evaluation"]
            subprocess.run([sys.executable, __file__, *tests], env=environment, check=True)


if __name__ == "__main__":
    torch.set_num_threads(2)
    unittest.main()
