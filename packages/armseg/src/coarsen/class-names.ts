/** Names of CamVid for what Cityscapes has, too. */
const SAME_AS: Readonly<Record<string, string>> = {
  tree: "vegetation",
  pedestrian: "person",
  bicyclist: "rider",
  sign: "traffic sign",
};

/** Returns the name that Cityscapes has for a class; its own where Cityscapes has none. */
export function cityscapesName(name: string): string {
  return SAME_AS[name] ?? name;
}
