import fc from "fast-check";
import { expect, test } from "vitest";
import { contentDisposition } from "./content-disposition.ts";

test.each([
  ["file-10000.zip", `filename="file-10000.zip"; filename*=UTF-8''file-10000.zip`],
  ["Über uns – 1€.zip", `filename="Uber uns _ 1_.zip"; filename*=UTF-8''%C3%9Cber%20uns%20%E2%80%93%201%E2%82%AC.zip`],
  ['a"; filename="evil.exe', `filename="a_; filename=_evil.exe"; filename*=UTF-8''a%22%3B%20filename%3D%22evil.exe`],
  ["a\r\nSet-Cookie: x=1", `filename="aSet-Cookie: x=1"; filename*=UTF-8''aSet-Cookie%3A%20x%3D1`],
  ["..\\..\\etc/passwd", `filename=".._.._etc_passwd"; filename*=UTF-8''.._.._etc_passwd`],
  ["100%41.zip", `filename="100_41.zip"; filename*=UTF-8''100%2541.zip`],
  ["invoice\u202efdp.exe", `filename="invoicefdp.exe"; filename*=UTF-8''invoicefdp.exe`],
  ["it's (1)*.zip", `filename="it's (1)*.zip"; filename*=UTF-8''it%27s%20%281%29%2A.zip`],
  ["\ud800.zip", `filename="_.zip"; filename*=UTF-8''%EF%BF%BD.zip`],
  ["a\uff02\uff3c\uff0fb", `filename="a___b"; filename*=UTF-8''a%EF%BC%82%EF%BC%BC%EF%BC%8Fb`],
  ["\u0301", `filename="download"; filename*=UTF-8''%CC%81`],
  ["\u0000 ", `filename="download"; filename*=UTF-8''download`],
])("%j", (filename, parameters) => {
  expect(contentDisposition(filename)).toBe(`attachment; ${parameters}`);
});

test("no name breaks out of the header, and its UTF-8 form can be read", () => {
  const codeUnits = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 50 });
  fc.assert(
    fc.property(codeUnits, (units) => {
      const filename = String.fromCharCode(...units);
      const header = contentDisposition(filename);
      const [, ascii, utf8] =
        /^attachment; filename="([^"\\]*)"; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]*)$/.exec(header) ?? [];
      expect(ascii).toMatch(/^[ -~]+$/);
      expect(ascii).not.toMatch(/[%/]/);
      expect(decodeURIComponent(utf8 ?? "%")).not.toBe("");
    }),
    { numRuns: 1000 },
  );
});
