import type { Region } from "../sample.ts";
import { numberOf, textOf, type XmlElement } from "./cvat-file.ts";

type Shape = Region["shape"];

/** Shapes without an area: they take part in no label. */
export const WITHOUT_AREA = new Set(["polyline", "points", "skeleton", "cuboid", "tag", "attribute"]);

const ELLIPSE_VERTICES = 128;

/**
 * The region of a CVAT shape element, or undefined for shapes without an area.
 *
 * @throws If an attribute is missing or damaged, or the element is unknown.
 */
export function cvatShape(element: XmlElement): Shape | undefined {
  if (WITHOUT_AREA.has(element.tag)) return undefined;
  switch (element.tag) {
    case "polygon":
      return { kind: "polygon", rings: [points(textOf(element, "points"))] };
    case "box":
      return box(element);
    case "ellipse":
      return ellipse(element);
    case "mask":
      return mask(element);
    default:
      throw new Error(`unknown shape <${element.tag}>`);
  }
}

function points(text: string): number[] {
  const pairs = text.split(";").map((pair) => pair.split(",").map(coordinate));
  if (pairs.length < 3 || !pairs.every((pair) => pair.length === 2 && pair.every(Number.isFinite)))
    throw new Error(`<polygon> has points="${text.slice(0, 40)}", expected at least three x,y pairs`);
  return pairs.flat();
}

/** Nothing is no number, though JavaScript takes it for 0. */
function coordinate(text: string): number {
  return text.trim() === "" ? Number.NaN : Number(text);
}

function box(element: XmlElement): Shape {
  const [x0, y0, x1, y1] = ["xtl", "ytl", "xbr", "ybr"].map((name) => numberOf(element, name)) as [
    number,
    number,
    number,
    number,
  ];
  const turn = turned([(x0 + x1) / 2, (y0 + y1) / 2], numberOf(element, "rotation", 0));
  return { kind: "polygon", rings: [[...turn(x0, y0), ...turn(x1, y0), ...turn(x1, y1), ...turn(x0, y1)]] };
}

function ellipse(element: XmlElement): Shape {
  const [cx, cy, rx, ry] = ["cx", "cy", "rx", "ry"].map((name) => numberOf(element, name)) as [
    number,
    number,
    number,
    number,
  ];
  const turn = turned([cx, cy], numberOf(element, "rotation", 0));
  const ring = Array.from({ length: ELLIPSE_VERTICES }, (_, i) => (2 * Math.PI * i) / ELLIPSE_VERTICES);
  return {
    kind: "polygon",
    rings: [ring.flatMap((angle) => turn(cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)))],
  };
}

/** Turning points clockwise on the screen by degrees about a centre. */
function turned(
  [cx, cy]: readonly [number, number],
  degrees: number,
): (x: number, y: number) => [number, number] {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return (x, y) => [cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos];
}

function mask(element: XmlElement): Shape {
  const [height, width, top, left] = ["height", "width", "top", "left"].map((name) =>
    numberOf(element, name),
  );
  const counts = textOf(element, "rle").split(",").map(Number);
  return { kind: "rle", height: height!, width: width!, counts, top: top!, left: left!, isRowMajor: true };
}
