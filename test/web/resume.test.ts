import { describe, expect, it } from "@jest/globals";
import { backoffMs } from "../../api/web/model/connection.ts";
import type { Frame } from "../../api/web/model/frame.ts";
import { reduceSession } from "../../api/web/model/reduce-session.ts";
import { createFrameReader } from "../../api/web/net/frame-reader.ts";
import { createJournal, feed, loaded, screen } from "./story.ts";

const wire = (frames: readonly Frame[]): Uint8Array =>
  new TextEncoder().encode(
    frames
      .map(({ id, event, data }) => `: beat\n\nid: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
      .join(""),
  );

const recorded = () => {
  const journal = createJournal();
  journal.queued("r", "hello");
  journal.started("r");
  journal.add("r", "reasoning", { text: "hm …", step: 1 });
  const call = { step: 1, tid: "t", name: "list_files", args: { path: "ö" } };
  journal.add("r", "tool", { event_type: "tool.started", preview: null, ...call });
  journal.add("r", "tool_complete", {
    event_type: "tool.completed",
    preview: "ok",
    is_error: false,
    outcome: "done",
    ...call,
  });
  for (const text of ["Grüße ", "🪽 ", "zum\n", "Schluss"]) journal.token("r", text, 2);
  journal.done("r", "Grüße 🪽 zum\nSchluss");
  journal.end("r");
  return journal;
};

/** What a connection sends to a client that asks with `cursor`. */
const since = (frames: readonly Frame[], cursor: string | null): readonly Frame[] =>
  frames.slice(frames.findIndex((frame) => frame.id === cursor) + 1);

describe("dropping and coming back", () => {
  it("drop-at-every-byte (R-46): cut after every byte and resumed with the cursor held, the view is the uncut one", () => {
    const { frames } = recorded();
    const bytes = wire(frames);
    const uncut = feed(loaded(), frames);
    expect(bytes.length).toBeGreaterThan(800);
    for (let cut = 0; cut <= bytes.length; cut++) {
      let state = loaded();
      const apply = (frame: Frame): void => {
        state = feed(state, [frame]);
      };
      createFrameReader(apply)(bytes.subarray(0, cut));
      createFrameReader(apply)(wire(since(frames, state.cursor)));
      if (screen(state).join() !== screen(uncut).join() || state.cursor !== uncut.cursor)
        throw new Error(`differs when cut after byte ${cut}: ${screen(state).join(" | ")}`);
    }
    expect(screen(uncut)).toEqual(["you: hello", "text: Grüße 🪽 zum\nSchluss"]);
  });

  it("drop-at-every-byte (R-46): the same while the run goes on, where the live view is what counts", () => {
    const frames = recorded().frames.slice(0, -2);
    const bytes = wire(frames);
    const uncut = screen(feed(loaded(), frames));
    for (let cut = 0; cut <= bytes.length; cut += 3) {
      let state = loaded();
      const apply = (frame: Frame): void => {
        state = feed(state, [frame]);
      };
      const first = createFrameReader(apply);
      for (let at = 0; at < cut; at += 7) first(bytes.subarray(at, Math.min(cut, at + 7)));
      createFrameReader(apply)(wire(since(frames, state.cursor)));
      expect(screen(state)).toEqual(uncut);
    }
  });

  it("a frame counts only with its blank line: an id that arrived alone moves nothing (10.4)", () => {
    const seen: Frame[] = [];
    const reader = createFrameReader((frame) => seen.push(frame));
    reader(new TextEncoder().encode('id: 7-1\nevent: token\ndata: {"run_id":"r"}\n'));
    expect(seen).toEqual([]);
    reader(new TextEncoder().encode("\n"));
    expect(seen.map((frame) => frame.id)).toEqual(["7-1"]);
  });

  it("reload-keeps-cursor-with-state (R-47): no state ever holds a cursor without the text up to it", () => {
    const { frames } = recorded();
    let state = loaded();
    for (const frame of frames) {
      state = feed(state, [frame]);
      expect(state.cursor).toBe(frame.id);
      const rest = since(frames, state.cursor);
      expect(screen(feed(state, rest)).at(-1)).toBe("text: Grüße 🪽 zum\nSchluss");
      state = feed(loaded(), frames.slice(0, frames.indexOf(frame) + 1)); // views advance in place: begin afresh
    }
  });

  it("fold-equals-live (R-50): 20,000 events at once and one by one make the same state, in under a second", () => {
    const journal = createJournal();
    journal.queued("r", "hello");
    journal.started("r");
    for (let i = 0; i < 20_000; i++)
      if (i % 100 === 0) journal.add("r", "reasoning", { text: `${i} `, step: 1 + Math.floor(i / 1000) });
      else journal.token("r", `${i} `, 1 + Math.floor(i / 1000));
    const began = performance.now();
    const folded = feed(loaded(), journal.frames);
    const foldMs = performance.now() - began;
    let live = loaded();
    for (const frame of journal.frames) {
      live = reduceSession(live, { type: "frame", frame });
      if (Number.parseInt(frame.id ?? "", 10) % 997 === 0) live = feed(live, journal.frames.slice(0, 50));
    }
    live = feed(live, journal.frames.slice(-1));
    expect(screen(live)).toEqual(screen(folded));
    expect(live.runs.get("r")?.view).toEqual(folded.runs.get("r")?.view);
    expect(foldMs).toBeLessThan(1_000);
  });

  it("reconnects calmly (R-35): 1.5, 3, 5, 8, 12, 20 s, spread by a quarter to each side", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 99].map((n) => backoffMs(n, 0.5))).toEqual([
      1_500, 3_000, 5_000, 8_000, 12_000, 20_000, 20_000, 20_000,
    ]);
    expect(backoffMs(1, 0)).toBe(1_125);
    expect(backoffMs(1, 0.999)).toBeLessThanOrEqual(1_875);
  });
});
