/** A class of the scenes; its index is its value in a label. */
export interface SceneClass {
  readonly name: string;
  /** Red, green, blue, each 0..255. */
  readonly color: readonly [number, number, number];
}

/** The classes of the generated scenes: names, order and colours of SegNet's 11 classes of CamVid. */
export const scenesClasses: readonly SceneClass[] = [
  { name: "sky", color: [128, 128, 128] },
  { name: "building", color: [128, 0, 0] },
  { name: "pole", color: [192, 192, 128] },
  { name: "road", color: [128, 64, 128] },
  { name: "sidewalk", color: [60, 40, 222] },
  { name: "tree", color: [128, 128, 0] },
  { name: "sign", color: [192, 128, 128] },
  { name: "fence", color: [64, 64, 128] },
  { name: "car", color: [64, 0, 128] },
  { name: "pedestrian", color: [64, 64, 0] },
  { name: "bicyclist", color: [0, 128, 192] },
];

/** Class index by name, for the painters. */
export const SCENE_CLASS = {
  sky: 0,
  building: 1,
  pole: 2,
  road: 3,
  sidewalk: 4,
  tree: 5,
  sign: 6,
  fence: 7,
  car: 8,
  pedestrian: 9,
  bicyclist: 10,
} as const;
