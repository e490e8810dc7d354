import * as z from "zod";

/** Pixels, `[height, width]`. */
const size = z.tuple([z.int().positive(), z.int().positive()]);
const fraction = z.number().min(0).max(1);
const positive = z.number().positive();
const count = z.int().positive();
const range = z.tuple([positive, positive]);

const split = z.strictObject({
  split: z
    .string()
    .describe("Name of the split: a folder, a list or a part of the data set, as its format has it."),
  images: z.string().optional().describe("Folder of this split's pictures, where it is not the data's own."),
  masks: z
    .string()
    .optional()
    .describe("Folder of this split's masks, e.g. coarse ones to train on and fine ones to validate on."),
  list: z.string().optional().describe("File with one sample name a line: only these are used."),
});

const classInfo = z.strictObject({
  name: z.string().describe("Name of the class."),
  color: z
    .tuple([z.int().min(0).max(255), z.int().min(0).max(255), z.int().min(0).max(255)])
    .describe("Red, green, blue, each 0..255."),
});

const data = z.strictObject({
  format: z
    .enum(["folder", "cityscapes", "ade20k", "camvid", "coco", "coco-panoptic", "labelme", "cvat", "scenes"])
    .describe("How the data set lies on disk; `scenes` generates street scenes and needs no data."),
  root: z.string().optional().describe("Folder of the data set, or its annotation file (coco, cvat)."),
  images: z.string().optional().describe("Folder of pictures (folder, labelme, coco, cvat)."),
  masks: z.string().optional().describe("Folder of label PNGs (folder, coco-panoptic)."),
  imageEnding: z
    .string()
    .optional()
    .describe("What picture names end in beyond the common stem, e.g. `_leftImg8bit`."),
  maskEnding: z.string().optional().describe("What mask names end in beyond the common stem, e.g. `_L`."),
  weights: z
    .string()
    .optional()
    .describe("Folder of per-pixel weight maps (PNG or NPY) for the training split."),
  annotations: z
    .enum(["fine", "coarse", "coarse+extra", "extra"])
    .default("fine")
    .describe(
      "Which of the data set's annotations to train on (cityscapes, scenes). Validation is always on fine ones.",
    ),
  classes: z
    .array(classInfo)
    .optional()
    .describe("The classes in order (folder; optional for named labels)."),
  labels: z
    .strictObject({
      encoding: z
        .string()
        .optional()
        .describe("values, colors; for cityscapes labelIds, labelTrainIds or polygons."),
      map: z
        .record(z.string(), z.string())
        .optional()
        .describe("Value, `r,g,b` or name to the name of a class, or to `ignore`."),
    })
    .prefault({}),
  background: z
    .string()
    .optional()
    .describe("The class of what no region covers (coco, labelme, cvat). Default: ignored."),
  train: split.prefault({ split: "train" }),
  val: split.prefault({ split: "val" }),
  scenes: z
    .strictObject({
      folder: z.string().default("scenes").describe("Where the generated scenes are kept."),
      count: z
        .strictObject({
          train: count.default(300).describe("Pictures to train on."),
          val: count.default(60).describe("Pictures to validate on."),
        })
        .prefault({}),
      size: size.default([128, 256]).describe("Of each picture, pixels."),
      seed: z.int().default(0).describe("Another seed makes other scenes."),
    })
    .prefault({})
    .describe("For format scenes."),
});

const model = z.strictObject({
  head: z.enum(["deeplabV3Plus", "ocr", "fcn"]).default("deeplabV3Plus").describe("From features to logits."),
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
    .describe("Classification network without its classifier."),
  stem: z
    .enum(["v1", "v1c"])
    .default("v1c")
    .describe("v1: one 7x7 convolution (torchvision); v1c: three 3x3 (mmsegmentation)."),
  strideOnFirst: z
    .boolean()
    .default(false)
    .describe("Stride on the first 1x1 of a bottleneck, as Caffe's weights need."),
  outputStride: z
    .union([z.literal(8), z.literal(16), z.literal(32)])
    .default(8)
    .describe("Input size over the size of the backbone's last features; smaller is sharper and slower."),
  headChannels: count.default(512).describe("Width of the head."),
  auxiliaryHead: z
    .boolean()
    .default(true)
    .describe("A second head on the stage before the last, for training only."),
  dropout: fraction.default(0.1).describe("Share of the head's channels that are dropped in training."),
  memoryFormat: z
    .enum(["contiguous", "channels_last"])
    .default("channels_last")
    .describe("Order of the tensors in memory; channels_last is faster."),
  weights: z
    .string()
    .nullable()
    .default(null)
    .describe("Pretrained weights, .safetensors or .pth; the layout is detected."),
  allowPartialWeights: z
    .boolean()
    .default(false)
    .describe("Go on although weights are missing that the model does not expect to miss."),
});

const loss = z.strictObject({
  pixel: z.enum(["ce", "gce", "kl", "focal"]).default("ce").describe("Loss of one pixel."),
  q: fraction.default(0.1).describe("Exponent of gce."),
  gamma: z.number().min(0).default(2).describe("Exponent of focal."),
  classWeights: z
    .union([z.enum(["none", "inverse-log", "median-frequency", "published"]), z.array(positive)])
    .default("none")
    .describe("Formula, computed from the scan of the training split, or one number a class."),
  ohem: z
    .strictObject({
      threshold: fraction
        .nullable()
        .default(0.7)
        .describe("Pixels whose class is less likely than this are kept; null: the hardest only."),
      minKept: count.default(100_000).describe("At least so many pixels are kept, of the batch."),
      semantics: z
        .enum(["openseg", "mmseg"])
        .default("openseg")
        .describe("mmseg: minKept an image, mean over all pixels."),
    })
    .nullable()
    .default(null)
    .describe(
      "Selection of hard pixels (OHEM); `{}` for its defaults: threshold 0.7, minKept 100000, semantics openseg.",
    ),
  normalise: z
    .enum(["valid", "all"])
    .default("valid")
    .describe("`all` divides by ignored pixels too, as mmsegmentation does."),
  sumsOver: z
    .enum(["process", "all"])
    .default("process")
    .describe("With several processes: whose pixels the weights are normalised over."),
  auxiliaryWeight: z.number().min(0).default(0.4).describe("Of the auxiliary head's plain cross entropy."),
  implementation: z
    .enum(["auto", "fused", "composed"])
    .default("auto")
    .describe("auto takes the fused kernel where it applies."),
});

const reweighting = z.strictObject({
  curve: z
    .enum(["none", "linear", "arm"])
    .default("arm")
    .describe("From confidence to weight: every pixel alike, a line, or the learned module."),
  slope: z
    .number()
    .default(-0.5)
    .describe("Of the linear curve: negative suppresses confident pixels, positive focuses on them."),
  intercept: z.number().default(0.5).describe("Of the linear curve: the weight at confidence 0."),
  indicator: z
    .enum(["var", "std", "logVar", "entropy", "kl"])
    .default("var")
    .describe("What confidence is read from; kl needs loss.pixel kl."),
  p: z.number().min(1).default(2).describe("Exponent of the first normalisation."),
  detach: z
    .boolean()
    .default(true)
    .describe("false lets the network cheat by lowering its confidence (Table 1 of the paper)."),
  isolatedFraction: fraction
    .default(0.05)
    .describe("Part of the iterations in which network and curve are trained apart."),
  learningRateMultiplier: positive
    .default(1)
    .describe("Of the curve's (negative) learning rate; short trainings need more than 1."),
  weightDecay: z
    .number()
    .min(0)
    .default(0)
    .describe("Of the curve. Under a negative learning rate, decay is growth."),
  comparator: z
    .enum(["none", "metaWeightNet", "learningToReweight"])
    .default("none")
    .describe(
      "A reweighting of the related work in place of a curve; it needs clean labels and about four times the work.",
    ),
  cleanSamples: count
    .default(20)
    .describe("For a comparator: so many training samples are held out, with their fine labels."),
});

const optimizer = z.strictObject({
  type: z.enum(["sgd", "adamw"]).default("sgd").describe("The curve has the same."),
  learningRate: positive.default(0.02).describe("Base rate, which the schedule scales."),
  momentum: fraction.default(0.9).describe("Of sgd."),
  nesterov: z.boolean().default(false).describe("Of sgd."),
  weightDecay: z.number().min(0).default(1e-4).describe("Of the network."),
  decayNormAndBias: z
    .boolean()
    .default(true)
    .describe("false takes norm parameters and biases out of the weight decay."),
  headMultiplier: positive.default(1).describe("Of the learning rate of everything but the backbone."),
  accumulate: count.default(1).describe("Batches whose gradients are averaged into one update."),
  clipNorm: positive.nullable().default(null).describe("Largest L2 norm of the network's gradient."),
});

const schedule = z.strictObject({
  iterations: count.default(40_000).describe("T: updates of the whole training."),
  type: z
    .enum(["paper", "poly", "cosine", "constant"])
    .default("paper")
    .describe("paper: falls to a tenth at each of the drops."),
  warmupFraction: fraction
    .default(0.05)
    .describe("Part of T in which the rate rises linearly from a hundredth."),
  drops: z
    .array(fraction)
    .default([0.6, 0.9])
    .describe("Parts of T at which the rate falls to a tenth (paper)."),
  power: positive.default(0.9).describe("Of poly."),
  minimumFactor: fraction.default(0).describe("Of the base rate, where poly and cosine end."),
});

const augmentation = z.strictObject({
  base: size.nullable().default(null).describe("Images are first fitted into this; null: as they are."),
  scale: range.default([0.5, 2]).describe("Range of the random resize, a factor of the base."),
  crop: size.default([512, 1024]).describe("Training window; smaller images are padded."),
  maxCategoryRatio: fraction
    .default(0.75)
    .describe("A crop is drawn again, up to ten times, while one class covers more of it."),
  flip: fraction.default(0.5).describe("Probability of a horizontal flip."),
  photometric: z.boolean().default(true).describe("Random brightness, contrast, saturation and hue."),
  mean: z
    .tuple([z.number(), z.number(), z.number()])
    .default([123.675, 116.28, 103.53])
    .describe("RGB, of 0..255."),
  std: z.tuple([positive, positive, positive]).default([58.395, 57.12, 57.375]).describe("RGB, of 0..255."),
});

const training = z.strictObject({
  batchSize: count.default(8).describe("Samples a batch, of one process."),
  seed: z.int().min(0).default(0).describe("Of weights, order and augmentation."),
  device: z.string().default("cpu").describe("cpu, cuda, cuda:1 or mps."),
  precision: z
    .enum(["float32", "bfloat16", "float16"])
    .default("float32")
    .describe("Of convolutions; losses stay float32."),
  deterministic: z.boolean().default(false).describe("Refuse operators that may differ from run to run."),
  ema: fraction
    .nullable()
    .default(null)
    .describe("Decay of the moving average of the weights; it is what is then evaluated."),
  workers: z.int().min(0).optional().describe("Threads that load data. Default: processors less one."),
  batchCache: z
    .string()
    .nullable()
    .default(null)
    .describe(
      "Folder that keeps the augmented batches, for trainings that see the same ones: many methods, one seed. Takes much space.",
    ),
  onBadFile: z
    .enum(["error", "skip"])
    .default("error")
    .describe("What to do about a file that cannot be read; skipped ones are counted."),
  maxNonFinite: count
    .default(10)
    .describe("Updates in a row with a loss that is not finite, after which the run stops."),
  logEvery: count.default(10).describe("Iterations between two lines of the log."),
  evaluateEvery: count
    .nullable()
    .default(null)
    .describe("Iterations between evaluations. Default: a tenth of T."),
  checkpointEvery: count
    .nullable()
    .default(null)
    .describe("Iterations between checkpoints. Default: a tenth of T."),
  keepCheckpoints: count.default(2).describe("The newest so many are kept, and the best."),
});

const evaluation = z.strictObject({
  base: size
    .nullable()
    .default(null)
    .describe("Images are fitted into this first; null: as they are. Scores are at label size."),
  mode: z
    .enum(["whole", "slide"])
    .default("whole")
    .describe("Whole images at once, or windows that overlap."),
  crop: size.nullable().default(null).describe("Window of mode slide."),
  stride: size.nullable().default(null).describe("Step of the windows of mode slide."),
  tta: z
    .enum(["none", "mmseg", "openseg", "hrnet"])
    .default("none")
    .describe("Multi-scale and flip, averaged as that project does."),
  boundary: z.boolean().default(false).describe("Compute Boundary IoU too."),
});

/** The whole configuration of a run: one YAML file, every key with its default. */
export const configSchema = z.strictObject({
  name: z.string().default("run").describe("Name of the run."),
  data,
  model: model.prefault({}),
  loss: loss.prefault({}),
  reweighting: reweighting.prefault({}),
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

/** JSON Schema (draft 2020-12) of the file, for editors. */
export function configJsonSchema(): object {
  return z.toJSONSchema(configSchema, { io: "input" });
}
