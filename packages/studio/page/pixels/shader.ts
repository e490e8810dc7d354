/** A triangle that covers everything. */
export const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

/** What a draw needs: a shader is made for each set of these that occurs, as a processor that draws would compute every branch. */
export const FEATURES = [
  "IMAGE",
  "MAGNIFIED",
  "LABEL",
  "PREDICTION",
  "CONFIDENCE",
  "SHOW_LABEL",
  "SHOW_PREDICTION",
  "SHOW_CONFIDENCE",
  "SHOW_WEIGHT",
  "SHOW_DISAGREEMENT",
  "RANGED",
  "LIT",
  "PAINT",
] as const;
export type Feature = (typeof FEATURES)[number];

/** Returns the shader of a set of features. */
export function fragmentShader(features: ReadonlySet<Feature>): string {
  return `#version 300 es\n${[...features].map((name) => `#define ${name}\n`).join("")}${BODY}`;
}

/**
 * Image and layers at one pixel of the screen. Planes are bytes, read by their integer place and never interpolated: what is
 * shown of them is what is in the file.
 */
const BODY = `
precision highp float;
precision highp int;
precision highp usampler2D;
uniform sampler2D image;
uniform usampler2D label, prediction, confidence, paint;
uniform sampler2D classTable; // 256 x 1: colour, and whether the class is shown
uniform sampler2D weights;    // 256 x 1: the weight of each confidence, half of 1 for the mean
uniform sampler2D ramp;       // 256 x 1: dark blue to yellow
uniform vec2 size;
uniform vec2 canvas;
uniform vec3 view;            // x, y, scale
uniform float opacity[5];
uniform float imageOpacity;
uniform uvec2 range;
uniform vec3 background;
out vec4 color;

const uint VOID = 255u;
const uint UNPAINTED = 254u;

vec3 classColor(uint index, vec3 below, float strength) {
  vec4 entry = texelFetch(classTable, ivec2(int(index), 0), 0);
  // Hatched on the screen, at any zoom: no label is not a class.
  float stripe = mod(gl_FragCoord.x + gl_FragCoord.y, 10.0);
  vec3 hatch = stripe < 2.0 ? vec3(0.94) : stripe < 4.0 ? vec3(0.12) : below;
  return mix(below, index == VOID ? hatch : entry.rgb, entry.a < 0.5 ? 0.0 : strength);
}

bool isShown(uint index) {
  return texelFetch(classTable, ivec2(int(index), 0), 0).a > 0.5;
}

void main() {
  vec2 place = vec2(gl_FragCoord.x, canvas.y - gl_FragCoord.y) / view.z + view.xy;
  if (any(lessThan(place, vec2(0.0))) || any(greaterThanEqual(place, size))) {
    color = vec4(background, 1.0);
    return;
  }
  ivec2 texel = ivec2(floor(place));
#if defined(IMAGE) && defined(MAGNIFIED)
  vec3 c = texelFetch(image, texel, 0).rgb;
#elif defined(IMAGE)
  vec3 c = textureLod(image, place / size, max(0.0, -log2(view.z))).rgb;
#else
  vec3 c = vec3(0.3);
#endif
  c = mix(background, c, imageOpacity);
  uint u = 255u;
  uint y = VOID;
  uint guess = VOID;
#ifdef CONFIDENCE
  u = texelFetch(confidence, texel, 0).r;
#endif
#ifdef LABEL
  y = texelFetch(label, texel, 0).r;
#endif
#ifdef PREDICTION
  guess = texelFetch(prediction, texel, 0).r;
#endif
  vec3 below = c;
#ifdef SHOW_LABEL
  c = classColor(y, c, opacity[0]);
#endif
#ifdef SHOW_PREDICTION
  c = classColor(guess, c, opacity[1]);
#endif
#ifdef SHOW_CONFIDENCE
  c = mix(c, texelFetch(ramp, ivec2(int(u), 0), 0).rgb, opacity[2]);
#endif
#ifdef SHOW_WEIGHT
  float weight = texelFetch(weights, ivec2(int(u), 0), 0).r;
  vec3 shade = texelFetch(ramp, ivec2(int(weight * 255.0 + 0.5), 0), 0).rgb;
#ifdef LABEL
  // Pixels without a label take no part in the loss and have no weight.
  c = mix(c, shade, y == VOID ? 0.0 : opacity[3]);
#else
  c = mix(c, shade, opacity[3]);
#endif
#endif
#ifdef SHOW_DISAGREEMENT
  bool differs = y != VOID && y != guess && (isShown(y) || isShown(guess));
  c = mix(c, vec3(0.92, 0.12, 0.35), differs ? opacity[4] : 0.0);
#endif
#ifdef RANGED
  bool isInside = u >= range.x && u <= range.y;
#ifdef LIT
  c = isInside ? c : below * 0.22;
#else
  c = isInside ? c : below;
#endif
#endif
#ifdef PAINT
  uint stroke = texelFetch(paint, texel, 0).r;
  vec3 painted = mix(c, texelFetch(classTable, ivec2(int(stroke), 0), 0).rgb, 0.85);
  float stripe = mod(gl_FragCoord.x + gl_FragCoord.y, 10.0);
  vec3 emptied = stripe < 2.0 ? vec3(0.94) : stripe < 4.0 ? vec3(0.12) : c;
  c = stroke == UNPAINTED ? c : stroke == VOID ? emptied : painted;
#endif
  color = vec4(c, 1.0);
}`;
