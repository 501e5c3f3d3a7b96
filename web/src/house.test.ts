/** Rules for the whole folder: features meet at their doors, and stay small. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = import.meta.dirname;
const MOST_LINES = 400;

const sources = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((name) => /\.tsx?$/.test(name))
  .map((name) => ({ name, text: readFileSync(join(SRC, name), "utf8") }));

const featureOf = (name: string) => (name.includes("/") ? name.split("/")[0] : "");

function imports(name: string, text: string): string[] {
  const found = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)];
  return found.map(([, path]) => relative(SRC, resolve(SRC, dirname(name), path ?? "")));
}

describe("the house", () => {
  it("has features that import each other only through their index", () => {
    const through = sources.flatMap(({ name, text }) =>
      imports(name, text)
        .filter((path) => featureOf(path) && featureOf(path) !== featureOf(name))
        .filter((path) => !/^[^/]+\/(?:index\.ts|[^/]+\.(?:css|po))$/.test(path))
        .map((path) => `${name} imports ${path}`),
    );
    // The application itself joins them all; lazy parts are named by their own door.
    expect(through.filter((line) => !line.startsWith("main.tsx"))).toEqual([]);
  });

  it("keeps the transport and the store free of React", () => {
    const tied = sources
      .filter(({ name }) => /^(?:jmap|store)\//.test(name))
      .filter(({ text }) => /from "react/.test(text))
      .map(({ name }) => name);
    expect(tied).toEqual([]);
  });

  it("has modules that can be read in one go", () => {
    const long = sources
      .filter(({ text }) => text.split("\n").length > MOST_LINES)
      .map(({ name }) => name);
    expect(long).toEqual([]);
  });
});
