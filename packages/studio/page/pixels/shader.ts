/** A triangle that covers everything. */
export const VERTEX = `#version 300 es
void main() {
  vec2 corner = vec2(gl_VertexID == 1 ? 3.0 : -1.0, gl_VertexID == 2 ? 3.0 : -1.0);
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

/**
 * Image and layers at one pixel of the screen. Planes are bytes, read by their integer place and never interpolated: what is
 * shown of them is what is in the file.
 */
export const FRAGMENT = `#version 300 es
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
uniform bvec4 has;            // image, label, prediction, confidence: those that are there and take part
uniform bool isMagnified;     // whether a pixel of the image is one of the screen, or more
uniform bool hasPaint;
uniform uvec2 range;
uniform bool isLit;
uniform vec3 background;
out vec4 color;

const uint VOID = 255u;
const uint UNPAINTED = 254u;

vec3 classColor(uint index, vec3 below, float strength) {
  vec4 entry = texelFetch(classTable, ivec2(int(index), 0), 0);
  if (entry.a < 0.5) return below;
  if (index == VOID) {
    // Hatched on the screen, at any zoom: no label is not a class.
    float stripe = mod(gl_FragCoord.x + gl_FragCoord.y, 10.0);
    vec3 hatch = stripe < 2.0 ? vec3(0.94) : stripe < 4.0 ? vec3(0.12) : below;
    return mix(below, hatch, strength);
  }
  return mix(below, entry.rgb, strength);
}

void main() {
  vec2 place = vec2(gl_FragCoord.x, canvas.y - gl_FragCoord.y) / view.z + view.xy;
  if (any(lessThan(place, vec2(0.0))) || any(greaterThanEqual(place, size))) {
    color = vec4(background, 1.0);
    return;
  }
  ivec2 texel = ivec2(floor(place));
  vec3 c = vec3(0.3);
  // Branches on uniforms, not choices: a processor that draws would compute both sides of those.
  if (has.x) {
    if (isMagnified) c = texelFetch(image, texel, 0).rgb;
    else c = textureLod(image, place / size, max(0.0, -log2(view.z))).rgb;
  }
  c = mix(background, c, imageOpacity);
  uint u = 255u;
  uint y = VOID;
  uint guess = VOID;
  if (has.w) u = texelFetch(confidence, texel, 0).r;
  if (has.y) y = texelFetch(label, texel, 0).r;
  if (has.z) guess = texelFetch(prediction, texel, 0).r;
  bool isInside = u >= range.x && u <= range.y;
  if (isInside) {
    if (has.y && opacity[0] > 0.0) c = classColor(y, c, opacity[0]);
    if (has.z && opacity[1] > 0.0) c = classColor(guess, c, opacity[1]);
    if (has.w && opacity[2] > 0.0) c = mix(c, texelFetch(ramp, ivec2(int(u), 0), 0).rgb, opacity[2]);
    // Pixels without a label take no part in the loss and have no weight.
    if (has.w && opacity[3] > 0.0 && (y != VOID || !has.y)) {
      float weight = texelFetch(weights, ivec2(int(u), 0), 0).r;
      c = mix(c, texelFetch(ramp, ivec2(int(weight * 255.0 + 0.5), 0), 0).rgb, opacity[3]);
    }
    if (has.y && has.z && opacity[4] > 0.0 && y != VOID && y != guess
        && (texelFetch(classTable, ivec2(int(y), 0), 0).a > 0.5 || texelFetch(classTable, ivec2(int(guess), 0), 0).a > 0.5))
      c = mix(c, vec3(0.92, 0.12, 0.35), opacity[4]);
  } else if (isLit) {
    c *= 0.22;
  }
  if (hasPaint) {
    uint stroke = texelFetch(paint, texel, 0).r;
    if (stroke != UNPAINTED) {
      c = stroke == VOID ? classColor(VOID, c, 0.9) : mix(c, texelFetch(classTable, ivec2(int(stroke), 0), 0).rgb, 0.85);
    }
  }
  color = vec4(c, 1.0);
}`;
