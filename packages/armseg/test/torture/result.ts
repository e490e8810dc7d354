/** What one part of the torture has tried. */
export interface Result {
  readonly name: string;
  tried: number;
  readonly faults: string[];
}
