import { describe, expect, test } from "@jest/globals";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import fc from "fast-check";
import { entryJson, runFrame, sessionFrame, withJson } from "../../../api/sse/events.ts";
import { frameText, PREAMBLE } from "../../../api/sse/frame.ts";

const parse = (text: string): { frames: EventSourceMessage[]; retry: number | null } => {
  const frames: EventSourceMessage[] = [];
  let retry: number | null = null;
  const parser = createParser({
    onEvent: (frame) => void frames.push(frame),
    onRetry: (ms) => {
      retry = ms;
    },
  });
  parser.feed(text);
  return { frames, retry };
};

describe("the one writer of frames", () => {
  test("a frame is read as it was written", () => {
    const { frames } = parse(frameText({ event: "token", id: "r_1:5-2", data: '{"text":"a"}' }));
    expect(frames).toEqual([{ event: "token", id: "r_1:5-2", data: '{"text":"a"}' }]);
  });
  test("names that nobody knows and ids that are not cursors are refused", () => {
    for (const event of ["nonsense", "token\ndata: x", "", "message"])
      expect(() => frameText({ event, id: null, data: "{}" })).toThrow();
    for (const id of ["", "a b", "1\n2", "1\r", "\u0000", "1:2\u2028"])
      expect(() => frameText({ event: "token", id, data: "{}" })).toThrow();
  });
  test("hostile 60, 61: whatever a model or a tool says, one entry is one frame with that payload", () => {
    const nasty = fc.array(
      fc.oneof(
        fc.string({ unit: "binary" }),
        fc.constantFrom("\r", "\n", "\r\n", "\n\nevent: done", "\u2028", "id: 9", "data: forged"),
      ),
    );
    fc.assert(
      fc.property(nasty, fc.boolean(), (parts, pretty) => {
        const payload = { text: parts.join(""), name: "x\ndata: forged" };
        const data = JSON.stringify(payload, null, pretty ? 2 : undefined);
        const entry = { seq: 7, generation: 3, event: "token", runId: "r_1", runSeq: 4, attempt: 1, data };
        const { frames } = parse(runFrame(withJson(entry), "r_1") + sessionFrame(withJson(entry)));
        expect(frames.map(({ id }) => id)).toEqual(["r_1:4", "7-3"]);
        for (const frame of frames) {
          expect(frame.event).toBe("token");
          expect(JSON.parse(frame.data)).toEqual({
            run_id: "r_1",
            run_seq: 4,
            attempt: 1,
            ...(JSON.parse(data) as object),
          });
        }
      }),
    );
  });
  test("an entry without fields, and one of no run", () => {
    const entry = { seq: 1, generation: 1, event: "token", runId: "r", runSeq: 1, attempt: 0 };
    expect(JSON.parse(entryJson({ ...entry, data: "{}" }))).toEqual({ run_id: "r", run_seq: 1, attempt: 0 });
    expect(JSON.parse(entryJson({ ...entry, data: " { } " }))).toEqual({
      run_id: "r",
      run_seq: 1,
      attempt: 0,
    });
    expect(entryJson({ ...entry, runId: null, data: '{"a":1}' })).toBe('{"a":1}');
  });
  test("a stream begins with the time to wait before coming back", () => {
    expect(parse(PREAMBLE)).toEqual({ frames: [], retry: 2000 });
  });
});
