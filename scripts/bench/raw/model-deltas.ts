import { request } from "node:http";

/** Asks the model and hands over the text deltas of each network chunk; no SDK, no retries. Resolves when it has ended. */
export const readDeltas = (
  modelUrl: string,
  input: string,
  onDeltas: (deltas: readonly string[]) => void,
): Promise<void> =>
  new Promise((resolve, reject) => {
    const body = JSON.stringify({
      model: "fake",
      stream: true,
      messages: [{ role: "user", content: input }],
    });
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const outgoing = request(
      `${modelUrl}/chat/completions`,
      { method: "POST", agent: false, headers },
      (answer) => {
        let rest = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          const frames = (rest + chunk).split("\n\n");
          rest = frames.pop() ?? "";
          const deltas = frames.map(deltaOf).filter((text) => text !== "");
          if (deltas.length > 0) onDeltas(deltas);
        });
        answer.on("end", resolve);
        answer.on("error", reject);
      },
    );
    outgoing.on("error", reject);
    outgoing.end(body);
  });

const deltaOf = (frame: string): string => {
  if (frame.startsWith("data: [DONE]")) return "";
  const chunk = JSON.parse(frame.slice(6)) as { choices?: { delta?: { content?: string } }[] };
  return chunk.choices?.[0]?.delta?.content ?? "";
};
