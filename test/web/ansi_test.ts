import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { AnsiWriter } from "../../src/web/ansi.ts";

const html = (text: string) => new AnsiWriter().write(text);

describe("terminal output as HTML", () => {
  test("colours and weights become classes", () => {
    assert.equal(
      html("\x1b[1;31mred\x1b[0m plain \x1b[42mon green\x1b[49m"),
      '<span class="a-bold a-f1">red</span> plain <span class="a-b2">on green</span>',
    );
  });

  test("bright, 256 and true colours go to one of sixteen", () => {
    assert.equal(html("\x1b[94mx"), '<span class="a-f12">x</span>');
    assert.equal(html("\x1b[38;5;196mx"), '<span class="a-f9">x</span>');
    assert.equal(html("\x1b[38;5;232mx"), '<span class="a-f0">x</span>');
    assert.equal(html("\x1b[48;2;0;205;0mx"), '<span class="a-b2">x</span>');
    assert.equal(html("\x1b[38:2:255:255:255mx"), '<span class="a-f15">x</span>');
  });

  test("a broken colour changes nothing", () => {
    for (const code of ["38", "38;5", "38;5;999", "38;2;1", "38;7;1", ";;", "999"]) {
      assert.equal(html(`\x1b[${code}mx`), "x", code);
    }
  });

  test("markup is text", () => {
    assert.equal(
      html('<script>alert("1")</script>&amp;'),
      "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;amp;",
    );
  });

  test("links, titles, cursor moves and controls leave nothing behind", () => {
    assert.equal(html("\x1b]8;;javascript:alert(1)\x07link\x1b]8;;\x1b\\"), "link");
    assert.equal(html("\x1b]0;title\x07a\x1b[2Jb\x1b[10;20Hc\x1b(Bd\x07\x00\x9b"), "abcd");
    assert.equal(html("\x1bPq#0;2;0;0\x1b\\x"), "x");
    assert.equal(html("half\x1b"), "half");
  });

  test("a rewritten line shows what was written last", () => {
    assert.equal(html("10%\r50%\r100%\ndone\r\n"), "100%\ndone\n");
  });

  test("a piece that begins by rewriting goes on a line of its own", () => {
    const writer = new AnsiWriter();
    assert.equal(writer.write("10%"), "10%");
    assert.equal(writer.write("\r20%"), "\n20%");
    assert.equal(writer.write("\r\n"), "\n");
  });

  test("hostile output costs no more than its length", () => {
    const n = 200_000;
    for (const text of [
      `\r${"x".repeat(n)}`,
      "\r".repeat(n),
      "x\r".repeat(n / 2),
      `\x1b[${"1;".repeat(n / 2)}m`,
      "\x1b[".repeat(n / 2),
      "\x1b]".repeat(n / 2),
      `\x1b]${"y".repeat(n)}`,
      "\x1b[31m<".repeat(n / 6),
      "<".repeat(n),
    ]) {
      assert.equal(typeof html(text), "string");
    }
    // No clock: what costs the square of its length does not come back before the file's time limit.
  });

  test("the style goes on in the next piece", () => {
    const writer = new AnsiWriter();
    assert.equal(writer.write("\x1b[32mone"), '<span class="a-f2">one</span>');
    assert.equal(writer.write("two\x1b[0m"), '<span class="a-f2">two</span>');
    assert.equal(writer.write("three"), "three");
  });

  test("whatever is written, nothing but our own spans comes out", () => {
    const piece = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom(
        "\x1b[",
        "\x1b[31m",
        "\x1b]8;;",
        "<",
        ">",
        '"',
        "&",
        "\r",
        "\x1b",
        "m",
        ";5;",
      ),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const writer = new AnsiWriter();
        for (const text of pieces) {
          const out = writer.write(text).replace(/<span class="(?:a-[a-z0-9]+ ?)+">|<\/span>/g, "");
          assert.doesNotMatch(out, /[<>"\x00-\x08\x0b-\x1f\x7f-\x9f]/);
        }
      }),
    );
  });
});
