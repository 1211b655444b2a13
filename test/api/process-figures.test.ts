import { expect, test } from "@jest/globals";
import { processFiguresText } from "../../api/ops/process-figures.ts";

const family = (type: "counter" | "gauge", value: number) => ({
  ...{ name: "talaria_x_total", help: "x", type },
  values: [{ value, labels: { kind: "runs" } }],
});
const own = async () => ({ process: "api-1", families: [family("counter", 1)] });

test("one metric, one series for each process; another version's of the same name and another type is left out", async () => {
  const text = await processFiguresText({
    own,
    workers: async () => [
      { process: "worker-1", families: [family("counter", 2)] },
      { process: "worker-2", families: [family("gauge", 9)] },
    ],
  });
  expect(text.match(/^# TYPE .*$/gm)).toEqual(["# TYPE talaria_x_total counter"]);
  expect(text.match(/^talaria.*$/gm)).toEqual([
    'talaria_x_total{kind="runs",role="api",process="api-1"} 1',
    'talaria_x_total{kind="runs",role="worker",process="worker-1"} 2',
  ]);
});

test("while Redis is away the api still tells of itself", async () => {
  const text = await processFiguresText({ own, workers: () => Promise.reject(new Error("away")) });
  expect(text.match(/^talaria.*$/gm)).toHaveLength(1);
});
