import { argumentError } from "../../core/argument-error.ts";
import type { BackboneName } from "../backbones.ts";
import type { Stem } from "../resnet.ts";
import type { StrideOn } from "../resnet-blocks.ts";

/** Weights of one backbone, trained on ImageNet-1k by somebody else. */
export interface ImageNetWeights {
  /** As `armseg weights fetch` takes it; `_v1c` has the deep stem. */
  readonly name: string;
  readonly backbone: BackboneName;
  /** Of a ResNet, which loads into no other. */
  readonly stem?: Stem;
  readonly url: string;
  /**
   * SHA-256 in hexadecimal digits. Where the whole of it is not known here these are its first ones, as the publisher wrote them into the file's
   * name, and a file is checked against these.
   */
  readonly sha256: string;
  /** Size of the file in MiB; `null` where the publisher does not say. */
  readonly mebibytes: number | null;
  /** Of the project that publishes them. ImageNet's own terms allow research; see the source. */
  readonly license: string;
  readonly source: string;
}

const TORCHVISION = {
  license: "BSD-3-Clause",
  source: "https://github.com/pytorch/vision",
} as const;
const OPENMMLAB = {
  license: "Apache-2.0",
  source: "https://github.com/open-mmlab/mmcv/blob/main/mmcv/model_zoo/open_mmlab.json",
  mebibytes: null,
} as const;
const RESNEST = {
  license: "Apache-2.0",
  source: "https://github.com/zhanghang1989/ResNeSt",
  mebibytes: null,
} as const;

const PYTORCH = "https://download.pytorch.org/models";
const THIRD_PARTY = "https://download.openmmlab.com/pretrain/third_party";
const RESNEST_RELEASE = "https://github.com/zhanghang1989/ResNeSt/releases/download/weights_step1";

/**
 * Everything that `weights: imagenet` stands for.
 *
 * Addresses and sizes are the publishers' (torchvision's `ResNet*_Weights.IMAGENET1K_V1`, OpenMMLab's list, ResNeSt's releases). A hash of 64
 * digits was published by people who had the file, one of 8 digits stands in the file's name.
 */
export const IMAGENET_WEIGHTS: readonly ImageNetWeights[] = [
  {
    name: "resnet18",
    backbone: "resnet18",
    stem: "v1",
    url: `${PYTORCH}/resnet18-f37072fd.pth`,
    sha256: "f37072fd47e89c5e827621c5baffa7500819f7896bbacec160b1a16c560e07ec",
    mebibytes: 44.661,
    ...TORCHVISION,
  },
  {
    name: "resnet34",
    backbone: "resnet34",
    stem: "v1",
    url: `${PYTORCH}/resnet34-b627a593.pth`,
    sha256: "b627a593bcbe140c234610266fe4f8ae95ea42fc881d091c9b6052e6b1d0590f",
    mebibytes: 83.275,
    ...TORCHVISION,
  },
  {
    name: "resnet50",
    backbone: "resnet50",
    stem: "v1",
    url: `${PYTORCH}/resnet50-0676ba61.pth`,
    sha256: "0676ba61b6795bbe1773cffd859882e5e297624d384b6993f7c9e683e722fb8a",
    mebibytes: 97.781,
    ...TORCHVISION,
  },
  {
    name: "resnet101",
    backbone: "resnet101",
    stem: "v1",
    url: `${PYTORCH}/resnet101-63fe2227.pth`,
    sha256: "63fe2227b86e8f1f2063f43a75c84d195911b6a0eace650907dd3dc62dd49a0a",
    mebibytes: 170.511,
    ...TORCHVISION,
  },
  {
    name: "resnet18_v1c",
    backbone: "resnet18",
    stem: "v1c",
    url: `${THIRD_PARTY}/resnet18_v1c-b5776b93.pth`,
    sha256: "b5776b937a850b71ede79225265fabb5665b4641008e9b840929a94a919de707",
    ...OPENMMLAB,
  },
  {
    name: "resnet50_v1c",
    backbone: "resnet50",
    stem: "v1c",
    url: `${THIRD_PARTY}/resnet50_v1c-2cccc1ad.pth`,
    sha256: "2cccc1ad",
    ...OPENMMLAB,
  },
  {
    name: "resnet101_v1c",
    backbone: "resnet101",
    stem: "v1c",
    url: `${THIRD_PARTY}/resnet101_v1c-e67eebb6.pth`,
    sha256: "e67eebb6",
    ...OPENMMLAB,
  },
  {
    name: "mobilenetV2",
    backbone: "mobilenetV2",
    url: `${PYTORCH}/mobilenet_v2-b0353104.pth`,
    sha256: "b0353104",
    mebibytes: 13.555,
    ...TORCHVISION,
  },
  {
    name: "resnest50",
    backbone: "resnest50",
    url: `${RESNEST_RELEASE}/resnest50-528c19ca.pth`,
    sha256: "528c19ca",
    ...RESNEST,
  },
  {
    name: "resnest101",
    backbone: "resnest101",
    url: `${RESNEST_RELEASE}/resnest101-22405ba7.pth`,
    sha256: "22405ba7",
    ...RESNEST,
  },
  {
    name: "hrnetW18",
    backbone: "hrnetW18",
    url: `${THIRD_PARTY}/hrnetv2_w18-00eb2006.pth`,
    sha256: "00eb2006",
    ...OPENMMLAB,
  },
  {
    name: "hrnetW48",
    backbone: "hrnetW48",
    url: `${THIRD_PARTY}/hrnetv2_w48-d2186c55.pth`,
    sha256: "d2186c55",
    ...OPENMMLAB,
  },
];

/** Returns the file's name, which the cache keeps. */
export function fileNameOf({ url }: ImageNetWeights): string {
  return url.slice(url.lastIndexOf("/") + 1);
}

/**
 * Returns the ImageNet weights that load into a backbone.
 *
 * @throws {RangeError} If the table has none.
 */
export function imageNetWeights(model: {
  readonly backbone: BackboneName;
  readonly stem: Stem;
  readonly strideOn: StrideOn;
}): ImageNetWeights {
  const ofBackbone = IMAGENET_WEIGHTS.filter(({ backbone }) => backbone === model.backbone);
  const found = ofBackbone.find(({ stem = model.stem }) => stem === model.stem);
  const isCaffe = model.strideOn === "1x1" && model.backbone.startsWith("resnet");
  if (found && !isCaffe) return found;
  throw argumentError(
    "imageNetWeights",
    "a backbone whose ImageNet weights are listed (armseg weights list)",
    `${model.backbone} with stem ${model.stem}${isCaffe ? ", stride on its 1x1 convolutions" : ""}`,
    isCaffe ? "set strideOn: 3x3, or name a file" : `set stem: ${ofBackbone[0]?.stem}, or name a file`,
  );
}
