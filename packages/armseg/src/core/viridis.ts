/** Nine anchors of the viridis colour map (dark blue over green to yellow); between them colours are interpolated. */
const VIRIDIS: readonly (readonly [number, number, number])[] = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** Returns the colour of a share in [0, 1] (clamped) in the viridis colour map, 0..255. */
export function viridis(share: number): [number, number, number] {
  const position = Math.min(1, Math.max(0, share)) * (VIRIDIS.length - 1);
  const index = Math.min(VIRIDIS.length - 2, Math.floor(position));
  const from = VIRIDIS[index]!;
  const to = VIRIDIS[index + 1]!;
  const part = position - index;
  const between = (i: 0 | 1 | 2): number => Math.round(from[i] + part * (to[i] - from[i]));
  return [between(0), between(1), between(2)];
}
