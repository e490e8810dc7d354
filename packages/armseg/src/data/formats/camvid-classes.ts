import { IGNORE_INDEX } from "../../core/ignore-index.ts";
import type { ClassInfo, LabelMap } from "../sample.ts";

type Rgb = readonly [number, number, number];

/** SegNet's 11 classes with their colours, and the colours of CamVid's 32 original classes that each takes in. */
const CLASSES: readonly { readonly name: string; readonly color: Rgb; readonly original: readonly Rgb[] }[] =
  [
    { name: "sky", color: [128, 128, 128], original: [[128, 128, 128]] },
    {
      name: "building",
      color: [128, 0, 0],
      // Archway, Bridge, Building, Tunnel, Wall
      original: [
        [192, 0, 128],
        [0, 128, 64],
        [128, 0, 0],
        [64, 0, 64],
        [64, 192, 0],
      ],
    },
    {
      name: "pole",
      color: [192, 192, 128],
      // Column_Pole, TrafficCone
      original: [
        [192, 192, 128],
        [0, 0, 64],
      ],
    },
    {
      name: "road",
      color: [128, 64, 128],
      // Road, LaneMkgsDriv, LaneMkgsNonDriv
      original: [
        [128, 64, 128],
        [128, 0, 192],
        [192, 0, 64],
      ],
    },
    {
      name: "sidewalk",
      color: [60, 40, 222],
      // Sidewalk, ParkingBlock, RoadShoulder
      original: [
        [0, 0, 192],
        [64, 192, 128],
        [128, 128, 192],
      ],
    },
    {
      name: "tree",
      color: [128, 128, 0],
      // Tree, VegetationMisc
      original: [
        [128, 128, 0],
        [192, 192, 0],
      ],
    },
    {
      name: "sign",
      color: [192, 128, 128],
      // SignSymbol, Misc_Text, TrafficLight
      original: [
        [192, 128, 128],
        [128, 128, 64],
        [0, 64, 64],
      ],
    },
    { name: "fence", color: [64, 64, 128], original: [[64, 64, 128]] },
    {
      name: "car",
      color: [64, 0, 128],
      // Car, SUVPickupTruck, Truck_Bus, Train, OtherMoving
      original: [
        [64, 0, 128],
        [64, 128, 192],
        [192, 128, 192],
        [192, 64, 128],
        [128, 64, 64],
      ],
    },
    {
      name: "pedestrian",
      color: [64, 64, 0],
      // Pedestrian, Child, CartLuggagePram, Animal
      original: [
        [64, 64, 0],
        [192, 128, 64],
        [64, 0, 192],
        [64, 128, 64],
      ],
    },
    {
      name: "bicyclist",
      color: [0, 128, 192],
      // Bicyclist, MotorcycleScooter
      original: [
        [0, 128, 192],
        [192, 0, 192],
      ],
    },
  ];

/** The 11 classes of SegNet's CamVid (Badrinarayanan et al. 2017), in its order. */
export const CAMVID_CLASSES: readonly ClassInfo[] = CLASSES.map(({ name, color }) => ({ name, color }));

/** Indexed masks: 0 to 10; void is 11 in SegNet's files and 255 in others. */
export const CAMVID_VALUES: LabelMap = {
  encoding: "values",
  classes: Object.fromEntries([...CLASSES.map((_, i) => [i, i]), [11, IGNORE_INDEX], [255, IGNORE_INDEX]]),
};

/** RGB masks: the 32 original classes (`label_colors.txt`) or SegNet's colours, to 11; Void (black) is ignored. */
export const CAMVID_COLORS: LabelMap = {
  encoding: "colors",
  classes: Object.fromEntries([
    ...CLASSES.flatMap(({ color, original }, i) =>
      [color, ...original].map((rgb) => [rgb.join(","), i] as const),
    ),
    ["0,0,0", IGNORE_INDEX],
  ]),
};
