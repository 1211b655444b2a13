import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { RunEvent } from "../../../common/contracts/events.ts";
import {
  applyRunEvent,
  createRunView,
  type RunView,
  viewReasoning,
  viewText,
} from "../../../common/contracts/run-view.ts";
import { type KnownStep, repairEvents } from "../../../common/lifecycle/repair.ts";

const apply = (view: RunView, events: readonly RunEvent[]): RunView => {
  for (const event of events) {
    applyRunEvent(view, {
      ...event.payload,
      event: event.event,
      run_id: view.runId,
      run_seq: view.lastSeq + 1,
      attempt: 1,
    });
  }
  return view;
};
const token = (step: number, text: string): RunEvent => ({ event: "token", payload: { step, text } });
const known = (step: number, text: string): KnownStep => ({ step, text, reasoning: "", tools: [] });

test("nothing is said where journal and database agree", () => {
  const view = apply(createRunView("r"), [token(1, "ab"), token(1, "c")]);
  expect(repairEvents(view, [known(1, "abc")])).toEqual([]);
});

test("a lost tail is said again, from where it was lost", () => {
  const view = apply(createRunView("r"), [token(1, "ab")]);
  expect(repairEvents(view, [known(1, "abc")])).toEqual([token(1, "c")]);
});

test("what is missing of a step behind which a later one was shown is said in its place", () => {
  const thought = (step: number, text: string): RunEvent => ({ event: "reasoning", payload: { step, text } });
  const view = apply(createRunView("r"), [token(1, "ab"), thought(2, "late")]);
  apply(
    view,
    repairEvents(view, [
      { ...known(1, "ab"), reasoning: "early" },
      { ...known(2, ""), reasoning: "late" },
    ]),
  );
  expect(viewReasoning(view)).toBe("earlylate");
  expect(viewText(view)).toBe("ab");
});

test("what an unfinished model call had shown is taken back", () => {
  const view = apply(createRunView("r"), [token(1, "ab"), token(2, "half")]);
  expect(repairEvents(view, [known(1, "ab")])).toEqual([
    { event: "step_reset", payload: { step: 2, keep_run_seq: 1 } },
  ]);
});

test("whatever the journal shows, after the repair it shows what is known and nothing else", () => {
  const text = fc.string({ maxLength: 12 });
  const shown = fc.array(fc.record({ step: fc.integer({ min: 1, max: 4 }), text, thought: fc.boolean() }), {
    maxLength: 12,
  });
  const truth = fc.array(fc.record({ text, reasoning: text }), { maxLength: 4 });
  fc.assert(
    fc.property(shown, truth, (pieces, steps) => {
      const events = pieces
        .toSorted((a, b) => a.step - b.step)
        .map(
          (p): RunEvent => ({
            event: p.thought ? "reasoning" : "token",
            payload: { step: p.step, text: p.text },
          }),
        );
      const view = apply(createRunView("r"), events);
      const truthSteps = steps.map((step, index) => ({ step: index + 1, ...step, tools: [] }));
      apply(view, repairEvents(view, truthSteps));
      expect(viewText(view)).toBe(steps.map((step) => step.text).join(""));
      expect(viewReasoning(view)).toBe(steps.map((step) => step.reasoning).join(""));
    }),
  );
});
