import { afterEach, describe, expect, it, vi } from "vitest";
import { toasts } from "./toasts.ts";

afterEach(() => {
  for (const { id } of toasts.all()) toasts.dismiss(id);
});

const words = () => toasts.all().map((one) => one.words);

describe("toasts", () => {
  it("stand beside each other, each with its own way back", () => {
    const [first, second] = [vi.fn(), vi.fn()];
    toasts.show("archived", { words: "Undo", run: first });
    toasts.show("moved", { words: "Undo", run: second });
    expect(words()).toEqual(["archived", "moved"]);
    toasts.undo();
    expect(second).toHaveBeenCalledOnce();
    expect(words()).toEqual(["archived"]);
    toasts.undo();
    expect(first).toHaveBeenCalledOnce();
    expect(words()).toEqual([]);
  });

  it("that lead somewhere take nothing back", () => {
    const [taken, led] = [vi.fn(), vi.fn()];
    toasts.show("archived", { words: "Undo", run: taken });
    toasts.show("a newer version", { words: "Load it", run: led, leads: true });
    toasts.undo();
    expect(taken).toHaveBeenCalledOnce();
    expect(led).not.toHaveBeenCalled();
    expect(words()).toEqual(["a newer version"]);
  });

  it("are no more than can be read", () => {
    for (const one of ["1", "2", "3", "4", "5"]) toasts.show(one);
    expect(words()).toEqual(["2", "3", "4", "5"]);
  });
});
