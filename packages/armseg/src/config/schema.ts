import * as z from "zod";
import { mapPathStrings, pathString } from "./path-string.ts";

/** Pixels, `[height, width]`. */
const size = z.tuple([z.int().positive(), z.int().positive()]);
const fraction = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.int().positive();
const range = z.tuple([positive, positive]);

const annotations = z.enum(["fine", "coarse", "coarse+extra", "extra"]);

/** A split; a part of its keys may be given. */
function splitNamed(name: string) {
  return z
    .strictObject({
      split: z
        .string()
        .default(name)
        .describe("Names the split: a folder, a list or a part of the data set, as its format has it."),
      root: pathString()
        .optional()
        .describe(
          "Gives this split a folder or an annotation file of its own, in place of `data.root`, e.g. `valid/_annotations.coco.json`.",
        ),
      images: pathString()
        .optional()
        .describe("Gives this split a folder of images of its own, in place of `data.images`."),
      masks: pathString()
        .optional()
        .describe(
          "Gives this split a folder of masks of its own, e.g. coarse ones to train on and fine ones to validate on.",
        ),
      imageEnding: z
        .string()
        .optional()
        .describe("Says what the names of this split's images end in, in place of `data.imageEnding`."),
      maskEnding: z
        .string()
        .optional()
        .describe("Says what the names of this split's masks end in, in place of `data.maskEnding`."),
      annotations: annotations
        .optional()
        .describe(
          "Chooses this split's annotations, in place of `data.annotations` or of the fine ones to validate on.",
        ),
      list: pathString()
        .optional()
        .describe("Names a file with one sample name per line; only these samples are used."),
    })
    .prefault({});
}

const classInfo = z.strictObject({
  name: z.string().describe("Names the class."),
  color: z
    .tuple([z.int().min(0).max(255), z.int().min(0).max(255), z.int().min(0).max(255)])
    .describe("Gives the colour it is drawn in: red, green, blue, each 0..255."),
});

const data = z.strictObject({
  format: z
    .enum(["folder", "cityscapes", "ade20k", "camvid", "coco", "coco-panoptic", "labelme", "cvat", "scenes"])
    .describe("Says how the data set lies on disk; `scenes` generates street scenes and needs no data."),
  root: pathString()
    .optional()
    .describe("Names the folder of the data set, or its annotation file (coco, cvat)."),
  images: pathString().optional().describe("Names the folder of images (folder, labelme, coco, cvat)."),
  masks: pathString().optional().describe("Names the folder of label PNGs (folder, coco-panoptic)."),
  imageEnding: z
    .string()
    .optional()
    .describe(
      "Says what the names of images end in beyond the stem that they share with their masks, e.g. `_leftImg8bit`.",
    ),
  imageRange: z
    .tuple([z.number(), z.number()])
    .refine(([low, high]) => low < high, "expected the lower value first")
    .optional()
    .describe(
      "Gives the values of 16-bit, float and signed images that become black and white, e.g. [0, 4095]; 8-bit images are read as they are.",
    ),
  maskEnding: z
    .string()
    .optional()
    .describe(
      "Says what the names of masks end in beyond the stem that they share with their images, e.g. `_L`.",
    ),
  weights: pathString()
    .optional()
    .describe(
      "Names a folder of weight maps (PNG or NPY), which multiply the loss of each pixel of the training split.",
    ),
  annotations: annotations
    .default("fine")
    .describe("Chooses the annotations to train on (cityscapes, scenes); validation is on fine ones."),
  classes: z
    .array(classInfo)
    .optional()
    .describe(
      "Lists the classes in the order of the network's outputs (folder; optional where labels are named).",
    ),
  labels: z
    .strictObject({
      encoding: z
        .string()
        .optional()
        .describe(
          "Says what a mask holds: `values` or `colors` (folder, camvid); `labelIds`, `labelTrainIds` or `polygons` (cityscapes); `ids` or `twoChannel` (coco-panoptic).",
        ),
      map: z
        .record(z.string(), z.string())
        .optional()
        .describe(
          "Maps what a mask holds (a value, `r,g,b` or a name) to the name of a class, or to `ignore`.",
        ),
      threshold: z
        .int()
        .min(1)
        .max(255)
        .optional()
        .describe(
          "Reads grey masks as two values (folder): levels below it, on the scale of 0 to 255, as 0 and the others as 255.",
        ),
      transparent: z
        .literal("ignore")
        .optional()
        .describe("Ignores the pixels of masks whose alpha is 0, whatever colour they hide (folder)."),
    })
    .prefault({}),
  background: z
    .string()
    .optional()
    .describe(
      "Names the class of what no region covers (coco, coco-panoptic, labelme, cvat); without it such pixels are ignored.",
    ),
  train: splitNamed("train"),
  val: splitNamed("val"),
  scenes: z
    .strictObject({
      folder: pathString()
        .default("scenes")
        .describe("Names the folder where the generated scenes are kept."),
      count: z
        .strictObject({
          train: count.default(300).describe("Sets how many images there are to train on."),
          val: count.default(60).describe("Sets how many images there are to validate on."),
        })
        .prefault({}),
      size: size.default([128, 256]).describe("Sets the size of each image."),
      seed: z.int().default(0).describe("Chooses the scenes; another seed makes others."),
      wrong: fraction
        .optional()
        .describe("Gives so large a share of the coarse labels' polygons a wrong class; without it none."),
    })
    .prefault({})
    .describe("Describes the scenes of format `scenes`."),
});

const model = z.strictObject({
  head: z
    .enum(["deeplabV3Plus", "deeplabV3PlusOriginal", "ocr", "fcn"])
    .default("deeplabV3Plus")
    .describe(
      "Chooses the head, which turns features into logits. `deeplabV3Plus` is mmsegmentation's (512 channels, 3x3 projection), `deeplabV3PlusOriginal` the authors' (256, 1x1), for processors.",
    ),
  backbone: z
    .enum([
      "resnet18",
      "resnet34",
      "resnet50",
      "resnet101",
      "resnest50",
      "resnest101",
      "hrnetW18",
      "hrnetW48",
      "mobilenetV2",
    ])
    .default("resnet50")
    .describe("Chooses the backbone, a classification network without its classifier."),
  stem: z
    .enum(["v1", "v1c"])
    .default("v1c")
    .describe(
      "Chooses the first layers of a ResNet: `v1` is one 7x7 convolution (torchvision), `v1c` three 3x3 (mmsegmentation).",
    ),
  strideOn: z
    .enum(["1x1", "3x3"])
    .default("3x3")
    .describe(
      "Says which convolution of a bottleneck has the stride: `3x3` as usual, `1x1` as Caffe's weights need.",
    ),
  outputStride: z
    .union([z.literal(8), z.literal(16), z.literal(32)])
    .default(8)
    .describe(
      "Sets the input's size over that of the backbone's last features; smaller is sharper and slower.",
    ),
  stages: z
    .union([z.literal(1), z.literal(2), z.literal(3), z.literal(4)])
    .default(4)
    .describe(
      "Ends the backbone behind so many stages, as `encoder_depth` does elsewhere: 3 of a ResNet cost about a third; HRNet needs all.",
    ),
  frozenStages: z
    .union([z.literal(0), z.literal(1), z.literal(2), z.literal(3), z.literal(4)])
    .default(0)
    .describe(
      "Keeps the stem and the first so many stages as their pretrained weights are, without a backward pass; 0 trains all.",
    ),
  headChannels: count
    .nullable()
    .default(null)
    .describe(
      "Sets the width of the head; `null` takes its own: 512, the original DeepLabv3+'s 256, HRNet's joined map's for `fcn`.",
    ),
  auxiliaryHead: z
    .boolean()
    .default(true)
    .describe("Adds a second head on the stage before the last, for training only."),
  dropout: fraction
    .default(0.1)
    .describe("Sets the share of the head's channels that are dropped in training."),
  memoryFormat: z
    .enum(["auto", "contiguous", "channels_last"])
    .default("auto")
    .describe(
      "Chooses the order of tensors in memory: `auto` is `channels_last` on a GPU, on a processor the faster one, measured once per machine and network.",
    ),
  kernelConvolutions: z
    .union([z.literal("auto"), z.array(z.string().regex(/^(\d+-\d+|depthwise-\d+)-d\d+$/))])
    .default("auto")
    .describe(
      "Names the 3×3 convolutions that a processor computes by armseg's own kernels in float32, as `64-128-d2` (channels, dilation) or `depthwise-512-d12`; `auto` takes those that are faster than libtorch's, measured once per machine; `[]` takes none.",
    ),
  weights: pathString("imagenet")
    .nullable()
    .default(null)
    .describe(
      "Says what to begin with: `imagenet`, which `armseg weights fetch` brings; a file, .safetensors or .pth, whose layout is detected; `null` for random weights.",
    ),
  allowPartialWeights: z
    .boolean()
    .default(false)
    .describe("Loads what fits, although tensors are missing, unknown or of another shape."),
});

const loss = z.strictObject({
  pixelLoss: z
    .enum(["ce", "gce", "kl", "focal"])
    .default("ce")
    .describe(
      "Chooses the loss of one pixel: cross entropy, generalised cross entropy, KL with uncertainty, focal.",
    ),
  q: fraction.default(0.1).describe("Sets the exponent of `gce`."),
  gamma: z.number().min(0).default(2).describe("Sets the exponent of `focal`."),
  classWeights: z
    .union([z.enum(["none", "inverse-log", "median-frequency", "published"]), z.array(positive)])
    .default("none")
    .describe(
      "Multiplies the loss of each class: by a formula over the training split's pixel counts, or by one number per class.",
    ),
  ohem: z
    .strictObject({
      threshold: fraction
        .nullable()
        .default(0.7)
        .describe("Keeps the pixels whose class is less likely than this; `null` keeps the hardest only."),
      minKept: count.default(100_000).describe("Keeps at least so many pixels of the batch."),
      semantics: z
        .enum(["openseg", "mmseg"])
        .default("openseg")
        .describe(
          "Chooses whose rules apply: `mmseg` counts `minKept` per image and takes the mean over all pixels.",
        ),
    })
    .nullable()
    .default(null)
    .describe(
      "Selects hard pixels (OHEM); `null` selects none, `{}` takes its defaults: threshold 0.7, minKept 100000, semantics openseg.",
    ),
  normalise: z
    .enum(["valid", "all"])
    .default("valid")
    .describe(
      "Says what the mean divides by: `valid` pixels, or `all`, ignored ones included, as mmsegmentation does.",
    ),
  sumsOver: z
    .enum(["process", "all"])
    .default("process")
    .describe(
      "Says, for several processes, over whose pixels the weights are normalised: each `process`'s own, or those of `all`.",
    ),
  auxiliaryWeight: z
    .number()
    .min(0)
    .default(0.4)
    .describe("Multiplies the auxiliary head's plain cross entropy."),
  implementation: z
    .enum(["auto", "fused", "composed"])
    .default("auto")
    .describe("Chooses how the loss is computed: `auto` takes the fused kernel where it applies."),
});

const reweighting = z.strictObject({
  curve: z
    .enum(["none", "linear", "arm"])
    .default("arm")
    .describe(
      "Chooses the curve from confidence to weight: every pixel alike, a line, or the learned module.",
    ),
  slope: z
    .number()
    .default(-0.5)
    .describe(
      "Sets the slope of the linear curve: negative suppresses confident pixels, positive focuses on them.",
    ),
  intercept: z.number().default(0.5).describe("Sets the weight of the linear curve at confidence 0."),
  indicator: z
    .enum(["var", "std", "logVar", "entropy", "kl"])
    .default("var")
    .describe(
      "Chooses what confidence is read from; `kl` needs the uncertainty that the network predicts for `loss.pixelLoss: kl`.",
    ),
  p: z.number().min(1).default(2).describe("Sets the exponent of the first normalisation of the weights."),
  detach: z
    .boolean()
    .default(true)
    .describe(
      "Cuts confidence off from the network; `false` lets the network cheat by lowering it (Table 1 of the paper).",
    ),
  isolatedFraction: fraction
    .default(0.05)
    .describe("Sets the part of the iterations in which network and curve are trained in isolation."),
  learningRateMultiplier: positive
    .default(1)
    .describe("Multiplies the curve's (negative) learning rate; short trainings need more than 1."),
  weightDecay: z
    .number()
    .min(0)
    .default(0)
    .describe("Sets the weight decay of the curve. Under a negative learning rate, decay is growth."),
  baseline: z
    .enum(["none", "metaWeightNet", "learningToReweight"])
    .default("none")
    .describe(
      "Takes a reweighting of the related work in place of a curve; it needs fine labels of some samples and about four times the work.",
    ),
  metaSamples: count
    .default(20)
    .describe(
      "Sets how many training samples a baseline learns from; they are held out and keep their fine labels.",
    ),
});

const correction = z.strictObject({
  coverageOffset: z
    .boolean()
    .default(false)
    .describe(
      "Corrects for classes that are labelled less thoroughly than others: an offset of the loss's logits per class, estimated as the training goes.",
    ),
  teacher: z
    .boolean()
    .default(false)
    .describe(
      "Lets the network itself (the moving average of `training.ema`, where there is one) label what the annotators left out, where it is sure enough.",
    ),
  relabel: z
    .enum(["none", "prediction", "void"])
    .default("none")
    .describe(
      "Says what becomes, in training, of drawn regions that the network is sure are wrong, as `armseg audit` finds them: nothing, its own class, or no label.",
    ),
  affinity: z
    .number()
    .min(0)
    .default(0)
    .describe(
      "Sets the weight of a term that asks neighbours of like colour for like classes where nothing is labelled; 0 leaves it out, 0.1 is usual.",
    ),
  start: fraction
    .default(0.4)
    .describe(
      "Sets the part of the iterations after which `teacher` and `relabel` look at the labels first.",
    ),
  rounds: count.default(2).describe("Sets how often they look, evenly spread over the rest of the training."),
  ramp: fraction
    .default(0.1)
    .describe(
      "Sets the part of the iterations in which the weight of pixels with a class of the network's rises from 0 to 1.",
    ),
  onlyDrawnClasses: z
    .boolean()
    .default(false)
    .describe("Lets `teacher` use classes only that the annotator drew somewhere in the same image."),
});

const optimizer = z.strictObject({
  type: z.enum(["sgd", "adamw"]).default("sgd").describe("Chooses the optimiser of network and curve."),
  learningRate: positive.default(0.02).describe("Sets the base learning rate, which the schedule scales."),
  momentum: fraction.default(0.9).describe("Sets the momentum of `sgd`."),
  nesterov: z.boolean().default(false).describe("Takes Nesterov's momentum for `sgd`."),
  weightDecay: z.number().min(0).default(1e-4).describe("Sets the weight decay of the network."),
  decayNormAndBias: z
    .boolean()
    .default(true)
    .describe("Applies the weight decay to norm parameters and biases too."),
  headMultiplier: positive
    .default(1)
    .describe("Multiplies the learning rate of everything but the backbone."),
  accumulate: count.default(1).describe("Sets how many batches' gradients are averaged into one update."),
  clipNorm: positive
    .nullable()
    .default(null)
    .describe("Limits the L2 norm of the network's gradient; `null` does not."),
});

const schedule = z.strictObject({
  iterations: count.default(40_000).describe("Sets T, the updates of the whole training."),
  type: z
    .enum(["paper", "poly", "cosine", "constant"])
    .default("paper")
    .describe("Chooses how the learning rate falls; `paper` falls to a tenth at each of the drops."),
  warmupFraction: fraction
    .default(0.05)
    .describe("Sets the part of T in which the rate rises linearly from a hundredth."),
  drops: z
    .array(fraction)
    .default([0.6, 0.9])
    .describe("Sets the parts of T at which the rate of `paper` falls to a tenth."),
  power: positive.default(0.9).describe("Sets the exponent of `poly`."),
  minimumFactor: fraction
    .default(0)
    .describe("Sets the factor of the base rate at which `poly` and `cosine` end."),
});

const augmentation = z.strictObject({
  base: size
    .nullable()
    .default(null)
    .describe("Fits images into this size first; `null` takes the most common size of the training images."),
  scale: range.default([0.5, 2]).describe("Sets the range of the random resize, as a factor of the base."),
  crop: size.default([512, 1024]).describe("Sets the training window; smaller images are padded."),
  maxCategoryRatio: fraction
    .default(0.75)
    .describe("Draws a crop again, up to ten times, while one class covers more of it."),
  flip: fraction.default(0.5).describe("Sets the probability of a horizontal flip."),
  photometric: z
    .boolean()
    .default(true)
    .describe("Changes brightness, contrast, saturation and hue at random."),
  mean: z
    .tuple([z.number(), z.number(), z.number()])
    .default([123.675, 116.28, 103.53])
    .describe("Sets what is subtracted from red, green and blue, of 0..255."),
  std: z
    .tuple([positive, positive, positive])
    .default([58.395, 57.12, 57.375])
    .describe("Sets what red, green and blue are then divided by, of 0..255."),
});

const training = z.strictObject({
  batchSize: count.default(8).describe("Sets the samples per batch of one process."),
  seed: z.int().min(0).default(0).describe("Seeds weights, order and augmentation."),
  device: z
    .string()
    .regex(/^(cpu|mps|cuda(:\d+)?)$/, "expected cpu, cuda, cuda:1 or mps")
    .default("cpu")
    .describe("Chooses the device: `cpu`, `cuda`, `cuda:1` or `mps`."),
  precision: z
    .enum(["float32", "bfloat16", "float16"])
    .default("float32")
    .describe("Chooses the precision of convolutions; losses stay float32."),
  deterministic: z.boolean().default(false).describe("Refuses operators that may differ from run to run."),
  from: pathString()
    .nullable()
    .default(null)
    .describe(
      "Names a run, whose best checkpoint is taken, or a checkpoint file, to begin with its network and curve in place of `model.weights`.",
    ),
  patience: count
    .nullable()
    .default(null)
    .describe(
      "Ends the training after so many evaluations in a row without a better mIoU; `null` trains to the end.",
    ),
  ema: fraction
    .nullable()
    .default(null)
    .describe(
      "Sets the decay of a moving average of the weights, which is then what is evaluated; `null` keeps none.",
    ),
  workers: z
    .int()
    .min(0)
    .optional()
    .describe("Sets the threads that load data; without it, as many as there are processors less one."),
  batchCache: pathString()
    .nullable()
    .default(null)
    .describe(
      "Names a folder that keeps the augmented batches, for trainings that see the same ones (many methods, one seed); it takes much space.",
    ),
  onBadFile: z
    .enum(["error", "skip"])
    .default("error")
    .describe(
      "Says what becomes of a file that cannot be read: an error, or another sample in its place, which is counted.",
    ),
  maxNonFinite: count
    .default(10)
    .describe("Stops the run after so many updates in a row with a loss that is not finite."),
  logEvery: count.default(10).describe("Sets the iterations between two lines of the log."),
  evaluateEvery: count
    .nullable()
    .default(null)
    .describe("Sets the iterations between evaluations; `null` takes a tenth of T."),
  checkpointEvery: count
    .nullable()
    .default(null)
    .describe("Sets the iterations between checkpoints; `null` takes a tenth of T."),
  keepCheckpoints: count.default(2).describe("Keeps the newest so many checkpoints, and the best."),
});

const evaluation = z.strictObject({
  base: size
    .nullable()
    .default(null)
    .describe("Fits images into this size first; `null` takes them as they are. Scores are at label size."),
  mode: z
    .enum(["whole", "slide"])
    .default("whole")
    .describe("Shows the network whole images at once, or windows that overlap."),
  crop: size.nullable().default(null).describe("Sets the window of mode `slide`."),
  stride: size.nullable().default(null).describe("Sets the step between the windows of mode `slide`."),
  tta: z
    .enum(["none", "mmseg", "openseg", "hrnet"])
    .default("none")
    .describe("Averages predictions over scales and flips, as the named project does."),
  boundary: z.boolean().default(false).describe("Computes Boundary IoU too."),
});

/** The whole configuration of a run: one YAML file, every key with its default. */
export const configSchema = z.strictObject({
  name: z.string().default("run").describe("Names the run, and its folder unless `--out` does."),
  data,
  model: model.prefault({}),
  loss: loss.prefault({}),
  reweighting: reweighting.prefault({}),
  correction: correction.prefault({}),
  optimizer: optimizer.prefault({}),
  schedule: schedule.prefault({}),
  augmentation: augmentation.prefault({}),
  training: training.prefault({}),
  evaluation: evaluation.prefault({}),
});

/** A configuration with every default filled in. */
export type Config = z.output<typeof configSchema>;

/** A configuration as it is written, defaults left out. */
export type ConfigInput = z.input<typeof configSchema>;

/** Returns a configuration with every path in it replaced. @param map - `key` is where the path stands, e.g. `data.train.list`. */
export function mapPaths(config: Config, map: (path: string, key: string) => string): Config {
  return mapPathStrings(config, configSchema, map) as Config;
}

/** JSON Schema (draft 2020-12) of the file, for editors. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: "input" });
}
