import { expect, test } from "vitest";
import { cards, type LabelledImage, percent, previewHtml } from "./labelled-images.ts";

const classes = [{ name: "r<oad", color: [1, 2, 3] }] as const;
const sample: LabelledImage = {
  id: "0",
  name: "a<b",
  image: { height: 1, width: 3, type: "jpeg", file: Uint8Array.of(1, 2, 3) },
  label: { height: 2, width: 6, type: "png", file: Uint8Array.of(4) },
  imageSize: [10, 30],
  labelSize: [10, 30],
  classes: [{ index: 0, share: 0.75 }],
  box: [0.5, 0, 0.5, 1],
  faults: ["no <good>"],
};

test("a preview shows each image beside its label, and the classes with their colours, as text and never as markup", () => {
  const html = previewHtml("T & U", [sample], classes);
  expect(html).toContain("<h1>T &amp; U</h1>");
  expect(html.match(/data:image\/jpeg;base64,AQID"/g)).toHaveLength(1);
  expect(html.match(/data:image\/png;base64,BA=="/g)).toHaveLength(1);
  expect(html).toMatch(
    /aria-label="image of a&lt;b".*#image-0.*aria-label="label of a&lt;b".*#image-0.*#label-0/,
  );
  expect(html).toContain("background: rgb(1 2 3)");
  expect(html).toMatch(/r&lt;oad<span class="soft"> 75\.0 %<\/span>.*ignored<span class="soft"> 25\.0 %/);
  expect(html).toContain("no &lt;good&gt;");
  expect(html).not.toMatch(/a<b|r<oad|<good/);
});

test("a label of another size than its image, or without one, stands alone; what is missing is said", () => {
  const small = cards([{ ...sample, labelSize: [5, 15] }], classes);
  expect(small).toContain("10×30, label 5×15");
  expect(small.match(/#image-0/g)).toHaveLength(1);
  const { image: _, imageSize: __, ...alone } = sample;
  expect(cards([alone], classes)).toMatch(/no image.*class="alone coarse"/);
  const { label: ___, labelSize: ____, ...bare } = sample;
  expect(cards([bare], classes)).toContain("no label");
});

test("a box is drawn where a class is marked, which is named first however small it is", () => {
  const two = [...classes, { name: "bird", color: [7, 8, 9] }] as const;
  const rare = { ...sample, classes: [...sample.classes, { index: 1, share: 0.0001 }] };
  expect(cards([rare], two)).not.toContain("<rect");
  const marked = cards([rare], two, 1);
  expect(marked).toContain('<rect class="box" x="15" y="0" width="15" height="10">');
  expect(marked).toMatch(/bird<span class="soft"> &lt;0\.1 %.*r&lt;oad/);
  expect([percent(0), percent(1e-9), percent(0.5)]).toEqual(["0.0 %", "<0.1 %", "50.0 %"]);
});
