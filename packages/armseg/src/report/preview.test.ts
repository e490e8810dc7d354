import { expect, test } from "vitest";
import { previewHtml } from "./preview.ts";

test("a preview shows each image beside its label, and the classes with their colours, as text and never as markup", () => {
  const png = Uint8Array.of(1, 2, 3);
  const sample = { name: "a<b", image: png, label: Uint8Array.of(4) };
  const html = previewHtml("T & U", [sample], [{ name: "r<oad", color: [1, 2, 3] }]);
  expect(html).toContain("<h1>T &amp; U</h1>");
  expect(html).toContain(`<img src="data:image/png;base64,AQID" alt="image of a&lt;b" title="a&lt;b">`);
  expect(html).toContain(`<img src="data:image/png;base64,BA==" alt="label of a&lt;b" title="a&lt;b">`);
  expect(html).toContain("background: rgb(1 2 3)");
  expect(html).toContain("r&lt;oad");
  expect(html).not.toContain("a<b");
});
