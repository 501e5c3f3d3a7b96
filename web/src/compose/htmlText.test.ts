import { expect, it } from "vitest";
import { htmlText } from "./htmlText.ts";

it.each([
  ["<p>one</p><p>two</p>", "one\n\ntwo"],
  ["<div>one</div><div>two<br>three</div>", "one\ntwo\nthree"],
  ["a <b>bold</b>\n  word", "a bold word"],
  ["<style>p{}</style><script>alert('<p>')</script><title>t</title>x", "x"],
  ["<!-- <p>no</p> -->x", "x"],
  ["<ul><li>one<li>two</ul><ol><li>first<li>second</ol>", "- one\n- two\n\n1. first\n2. second"],
  ["<ul><li>one<ul><li>within</ul></ul>", "- one\n  - within"],
  [
    "x<blockquote>said<blockquote>before</blockquote></blockquote>y",
    "x\n\n> said\n>\n>> before\n>\ny",
  ],
  ["<pre>a\n  b</pre>", "a\n  b"],
  ['<a href="https://a.example">here</a>', "here <https://a.example>"],
  ['<a href="https://a.example/">a.example</a>', "a.example"],
  ['<a href="javascript:alert(1)">here</a>', "here"],
  ["caf&eacute; &amp; th&#233; &#x20ac;&nbsp;5 &unknown;", "café & thé € 5 &unknown;"],
  ["<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"],
  ['<img src="cid:1" alt="A map">', "[A map]"],
  ["1 < 2", "1 < 2"],
])("the text of %j", (html, text) => {
  expect(htmlText(html)).toBe(text);
});

it("of hostile HTML of any length comes soon", () => {
  const before = performance.now();
  htmlText("<".repeat(200_000));
  htmlText('<a href="'.repeat(50_000));
  htmlText("<div>".repeat(200_000));
  htmlText(`<a ${"x ".repeat(100_000)}`);
  expect(performance.now() - before).toBeLessThan(3_000);
});
