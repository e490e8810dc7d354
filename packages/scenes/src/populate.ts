import { paintBackdrop, paintBuildings } from "./buildings.ts";
import { paintCar } from "./cars.ts";
import { paintCabinet, paintFence, paintLamp, paintPole, paintSign, paintTrafficLight } from "./furniture.ts";
import type { HashRandom } from "./hash-random.ts";
import { paintBicyclist, paintPedestrian } from "./people.ts";
import type { Scene } from "./scene.ts";
import { frontOf, headingAt, isCrossing, placeOn, type Side } from "./street.ts";
import { paintBush, paintHedge, paintTree } from "./trees.ts";

const SIDES = [0, 1] as const;

/** Puts everything that stands on the ground into the scene; each kind of thing has random numbers of its own. */
export function populate(scene: Scene, random: HashRandom): void {
  for (const i of SIDES) {
    paintBuildings(scene, random.fork(1, i), i);
    plantTrees(scene, random.fork(2, i), i);
    parkCars(scene, random.fork(3, i), i);
    standFurniture(scene, random.fork(4, i), i);
    buildFences(scene, random.fork(5, i), i);
    walkPeople(scene, random.fork(6, i), i);
  }
  driveCars(scene, random.fork(7));
  rideBicycles(scene, random.fork(8));
  paintBackdrop(scene, random.fork(9));
}

function outwardOf(i: 0 | 1): number {
  return i === 0 ? -1 : 1;
}

/** Calls `visit` at irregular steps along the street. */
function along(
  random: HashRandom,
  from: number,
  to: number,
  steps: readonly [number, number],
  visit: (s: number, random: HashRandom) => void,
): void {
  let count = 0;
  for (let s = from + random.uniform(0, steps[1]); s < to; s += random.uniform(...steps)) {
    visit(s, random.fork(count++));
  }
}

function plantTrees(scene: Scene, random: HashRandom, i: 0 | 1): void {
  const side = scene.street.sides[i];
  const outward = outwardOf(i);
  const usual = random.uniform(4, 11);
  const density = random.pick([0, 0.25, 0.6, 0.9]);
  along(random, 3, 110, [5, 14], (s, own) => {
    if (own.chance(density) && !isCrossing(scene.street, s, 2)) {
      const t = outward * (side.kerb + (side.verge > 0 ? side.verge / 2 : own.uniform(0.4, 0.9)));
      paintTree(scene, own, placeOn(scene.street, t, s), usual * own.uniform(0.7, 1.2));
    }
  });
  if (side.kind === "park" || side.kind === "houses") {
    const most = side.kind === "park" ? 40 : 14;
    along(random, 4, 120, side.kind === "park" ? [2.5, 7] : [6, 16], (s, own) => {
      const t = outward * (frontOf(side) + own.uniform(1, most));
      const foot = placeOn(scene.street, t, s);
      if (own.chance(0.65)) {
        paintTree(scene, own, foot, own.uniform(4, 14));
      } else {
        paintBush(scene, own, foot, own.uniform(0.7, 2.2));
      }
    });
  }
}

function parkCars(scene: Scene, random: HashRandom, i: 0 | 1): void {
  const side = scene.street.sides[i];
  if (!side.parking) {
    return;
  }
  const density = random.uniform(0.3, 0.95);
  const turned = random.chance(0.5) ? Math.PI : 0;
  along(random, -2, 100, [5.2, 6.6], (s, own) => {
    if (own.chance(density) && !isCrossing(scene.street, s, 5)) {
      const t = outwardOf(i) * (side.kerb - 1.1);
      const heading =
        headingAt(scene.street, s) + (own.chance(0.15) ? Math.PI - turned : turned) + own.normal() * 0.02;
      paintCar(scene, own, placeOn(scene.street, t, s), heading);
    }
  });
}

function standFurniture(scene: Scene, random: HashRandom, i: 0 | 1): void {
  const { street } = scene;
  const side = street.sides[i];
  const inward = -outwardOf(i);
  const density = random.uniform(0.5, 1);
  const lamps = random.chance(0.75);
  along(random, 3, 90, [5, 11], (s, own) => {
    const t = outwardOf(i) * (side.kerb + own.uniform(0.3, 0.7));
    const foot = placeOn(street, t, s);
    if (own.chance(density)) {
      const paint = own.pick([
        paintSign,
        paintSign,
        paintSign,
        paintSign,
        paintPole,
        paintPole,
        paintCabinet,
      ]);
      paint(scene, own, foot);
    }
  });
  if (lamps) {
    along(random, 5, 120, [18, 30], (s, own) => {
      paintLamp(scene, own, placeOn(street, outwardOf(i) * (side.kerb + 0.5), s), inward);
    });
  }
  if (street.crossing !== undefined || (street.zebra !== undefined && random.chance(0.5))) {
    const s = (street.crossing?.from ?? street.zebra ?? 0) - 0.6;
    paintTrafficLight(scene, random, placeOn(street, outwardOf(i) * (side.kerb + 0.4), s));
  }
}

function buildFences(scene: Scene, random: HashRandom, i: 0 | 1): void {
  const { street } = scene;
  const side = street.sides[i];
  const chance = side.kind === "terrace" || side.kind === "blocks" ? 0.12 : 0.75;
  const outward = outwardOf(i);
  along(random, -3, 90, [7, 14], (s, own) => {
    const length = own.uniform(4, 12);
    if (!own.chance(chance) || isCrossing(street, s, 1) || isCrossing(street, s + length, 1)) {
      return;
    }
    const atKerb = own.chance(0.2);
    const t =
      outward * (atKerb ? side.kerb + 0.25 : frontOf(side) + 0.05 - (side.kind === "terrace" ? 0.4 : 0));
    const from = placeOn(street, t, s);
    const to = placeOn(street, t, s + length);
    if (!atKerb && own.chance(0.3)) {
      paintHedge(scene, own, from, to, own.uniform(0.8, 1.9));
    } else {
      paintFence(scene, own, from, to);
    }
  });
}

function walkPeople(scene: Scene, random: HashRandom, i: 0 | 1): void {
  const { street } = scene;
  const side = street.sides[i];
  const density = random.pick([0.15, 0.4, 0.7, 0.95]);
  along(random, 3, 70, [2.5, 9], (s, own) => {
    if (!own.chance(density)) {
      return;
    }
    const t = outwardOf(i) * (side.kerb + side.verge + own.uniform(0.4, Math.max(0.5, side.sidewalk - 0.3)));
    const heading = headingAt(street, s) + own.pick([0, Math.PI]) + own.normal() * 0.4;
    const group = own.chance(0.3) ? 1 + own.integer(3) : 1;
    for (let k = 0; k < group; k++) {
      paintPedestrian(
        scene,
        own.fork(k),
        placeOn(street, t + 0.55 * k * -outwardOf(i), s + own.uniform(-0.3, 0.3)),
        heading,
      );
    }
  });
  crossStreet(scene, random.fork(99));
}

/** People on the zebra crossing. */
function crossStreet(scene: Scene, random: HashRandom): void {
  const { street } = scene;
  if (street.zebra === undefined) {
    return;
  }
  for (let k = random.integer(3); k > 0; k--) {
    const t = random.uniform(-street.sides[0].kerb, street.sides[1].kerb);
    const s = street.zebra + random.uniform(0.5, 2.7);
    const heading = headingAt(street, s) + random.pick([1, -1]) * (Math.PI / 2) + random.normal() * 0.2;
    paintPedestrian(scene, random.fork(k), placeOn(street, t, s), heading);
  }
}

function drivenWidth(side: Side): number {
  return side.kerb - (side.parking ? 2.2 : 0);
}

function driveCars(scene: Scene, random: HashRandom): void {
  const { street } = scene;
  const [left, right] = [-drivenWidth(street.sides[0]), drivenWidth(street.sides[1])];
  const lane = (right - left) / street.lanes;
  const density = random.pick([0.15, 0.4, 0.7]);
  for (let k = 0; k < street.lanes; k++) {
    const t = left + (k + 0.5) * lane;
    const oncoming = street.lanes > 1 && k < street.lanes / 2;
    along(random.fork(k), 5, 130, [8, 30], (s, own) => {
      if (own.chance(density)) {
        const heading = headingAt(street, s) + (oncoming ? Math.PI : 0) + own.normal() * 0.03;
        paintCar(scene, own, placeOn(street, t + own.uniform(-0.3, 0.3), s), heading);
      }
    });
  }
  if (street.crossing !== undefined) {
    const s = (street.crossing.from + street.crossing.to) / 2;
    for (let k = random.integer(3); k > 0; k--) {
      const way = random.pick([1, -1]);
      const place = placeOn(street, random.uniform(-14, 14), s - way * 1.8);
      paintCar(
        scene,
        random.fork(100 + k),
        place,
        headingAt(street, s) + way * (Math.PI / 2) + random.normal() * 0.1,
      );
    }
  }
}

function rideBicycles(scene: Scene, random: HashRandom): void {
  const { street } = scene;
  const density = random.pick([0, 0.3, 0.6, 0.8]);
  along(random, 3, 60, [4, 12], (s, own) => {
    if (!own.chance(density)) {
      return;
    }
    const i = own.pick(SIDES);
    const inRoad = own.chance(0.75);
    const t =
      outwardOf(i) *
      (inRoad ? drivenWidth(street.sides[i]) - own.uniform(0.5, 1.2) : street.sides[i].kerb + 1);
    const across = own.chance(0.2) ? Math.PI / 2 : 0;
    paintBicyclist(
      scene,
      own,
      placeOn(street, t, s),
      headingAt(street, s) + (i === 0 ? Math.PI : 0) + across + own.normal() * 0.15,
    );
  });
}
