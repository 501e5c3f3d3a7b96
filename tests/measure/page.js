/* Runs in the page before its own scripts: what is measured is measured there, from the act to what is painted. */
(() => {
  const tasks = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) tasks.push(one.duration);
  }).observe({ entryTypes: ["longtask"] });

  const rows = () => [...document.querySelectorAll("[role=row][data-id]")];
  const painted = () =>
    new Promise((done) => {
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => done(performance.now());
        channel.port2.postMessage(0);
      });
    });

  /** Resolves with the time at which `check` held and was painted. */
  async function when(check, limit = 10_000) {
    const end = performance.now() + limit;
    while (!check()) {
      if (performance.now() > end) throw new Error("it did not happen");
      await new Promise((next) => {
        const channel = new MessageChannel();
        channel.port1.onmessage = next;
        channel.port2.postMessage(0);
      });
    }
    return painted();
  }

  const listed = when(() => rows().length > 0, 60_000);
  const articles = () => document.querySelector("article:not([data-closed])");
  let frames = 0;
  addEventListener("message", (event) => {
    if (event.data?.kind === "height" || event.data?.kind === "shown") frames += 1;
  });
  const key = (name) =>
    (document.activeElement ?? document.body).dispatchEvent(
      new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }),
    );
  const open = () => document.querySelector("[role=row][data-open]")?.dataset.id;

  /** From an act to a message that is read: another row is open, and its text is there. */
  async function read(act) {
    const before = open();
    const seen = frames;
    const from = performance.now();
    act();
    const to = await when(() => {
      const shown = articles();
      if (!shown || open() === before || shown.querySelector("[aria-busy]")) return false;
      return !shown.querySelector("iframe:not([data-spare])") || frames > seen;
    });
    return to - from;
  }

  window.measure = {
    listed: () => listed,
    /** The n-th row, or the next one where that is open. */
    open: (n) => read(() => rows().filter((one) => one.dataset.id !== open())[n].click()),
    step: (name) => read(() => key(name)),
    async archive() {
      const row = rows()[2];
      const { id } = row.dataset;
      row.focus();
      const from = performance.now();
      row.querySelector("button[title=Archive]").click();
      return (await when(() => !document.querySelector(`[role=row][data-id="${id}"]`))) - from;
    },
    /** Scroll as a wheel does, so many pixels a frame; how many rows went by, and the long tasks. */
    async scroll(pixels, steps) {
      const pane = document.querySelector("[role=grid]").parentElement;
      const height = rows()[0].getBoundingClientRect().height;
      tasks.length = 0;
      for (let n = 0; n < steps; n += 1) {
        pane.scrollTop += pixels;
        await painted();
      }
      await new Promise((done) => setTimeout(done, 300));
      return { rows: (pixels * steps) / height, long: [...tasks] };
    },
    top() {
      document.querySelector("[role=grid]").parentElement.scrollTop = 0;
    },
  };
})();
