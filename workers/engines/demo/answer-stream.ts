import type { ServerResponse } from "node:http";
import type { ChatRequest } from "./chat-request.ts";
import type { Directives } from "./directives.ts";
import type { Paced, Pacer } from "./pacing.ts";
import type { AnswerPlan } from "./plan.ts";

export interface ServerStats {
  requests: number;
  open: number;
  maxOpen: number;
  tokens: number;
  completed: number;
  aborted: number;
  failed: number;
  cut: number;
  startedAt: number;
}

export interface Answer {
  readonly response: ServerResponse;
  readonly request: ChatRequest;
  readonly directives: Directives;
  readonly plan: AnswerPlan;
  /** False: the scripted faults have struck often enough (`times`). */
  readonly strike: boolean;
  readonly stats: ServerStats;
  readonly pacer: Pacer;
}

const EVENT_STREAM = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
/** Tokens per turn of the event loop when nothing paces them. */
const BURST = 256;

/**
 * Sends the whole answer as one JSON body. Of the scripted faults, `stall` sends nothing and `cut` half of it, whatever their
 * token.
 */
export const sendWhole = ({ response, directives, plan, strike, stats }: Answer): void => {
  const text = joined(plan.textTokens, plan.textToken);
  const reasoning = joined(plan.reasonTokens, plan.reasonToken);
  const message: Record<string, unknown> = { role: "assistant", content: text || null };
  if (reasoning !== "") message.reasoning_content = reasoning;
  if (plan.toolCalls.length > 0)
    message.tool_calls = plan.toolCalls.map(({ id, type, function: call }) => ({ id, type, function: call }));
  const tokens = plan.reasonTokens + plan.textTokens;
  const pacedMs = directives.rate > 0 ? (tokens * 1000) / directives.rate : 0;
  let over = false;
  const send = (): void => {
    if (over) return;
    over = true;
    stats.open--;
    const { id, created, model, usage, finishReason } = plan;
    const choices = [{ index: 0, message, finish_reason: finishReason }];
    const body = JSON.stringify({ id, object: "chat.completion", created, model, choices, usage });
    response.writeHead(200, { "content-type": "application/json" });
    if (strike && directives.cut >= 0) {
      stats.cut++;
      response.write(body.slice(0, body.length / 2), () => response.destroy());
      return;
    }
    stats.tokens += tokens;
    stats.completed++;
    response.end(body);
  };
  const stalls = strike && directives.stall >= 0;
  const timer = stalls ? undefined : setTimeout(send, directives.ttft + pacedMs);
  response.on("close", () => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    stats.aborted++;
    stats.open--;
  });
};

const joined = (count: number, tokenAt: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => tokenAt(index)).join("");

/** Streams the answer as server-sent events, on its schedule and with its scripted faults. */
export const sendStream = (answer: Answer): void => {
  const { response, directives, plan, stats, pacer } = answer;
  const frames = createFrames(answer);
  const intervalMs = directives.rate > 0 ? 1000 / directives.rate : 0;
  let closed = false;
  let startMs = 0;

  response.writeHead(200, { ...EVENT_STREAM, "x-request-id": plan.id });
  response.flushHeaders();
  response.on("close", () => {
    if (closed) return;
    closed = true;
    stats.aborted++;
    stats.open--;
  });

  /** Sends `out`; true when that was the end of the stream, scripted or not. */
  const sendLast = (out: string): boolean => {
    const fault = frames.fault();
    if (fault === null && !frames.complete()) return false;
    closed = true;
    stats.open--;
    if (fault === "cut") {
      stats.cut++;
      response.write(out, () => response.destroy());
    } else if (fault === "errat") {
      stats.failed++;
      response.end(out + ERROR_FRAME);
    } else if (fault === "stall") {
      if (out) response.write(out);
    } else {
      if (out) response.write(out);
      stats.completed++;
      response.end(frames.ending());
    }
    return true;
  };

  const stream: Paced = {
    due: 0,
    onDue(nowMs) {
      if (closed) return;
      const chunksDue = Math.floor((nowMs - startMs) / (intervalMs * directives.chunk) + 1e-6) + 1;
      const due = Math.min(frames.total, chunksDue * directives.chunk) - frames.sent();
      const out = frames.next(Math.max(directives.chunk, due));
      if (sendLast(out)) return;
      const nextMs = startMs + frames.sent() * intervalMs;
      if (response.write(out)) pacer.add(stream, nextMs);
      else
        response.once("drain", () => {
          if (!closed) pacer.add(stream, Math.max(nextMs, performance.now()));
        });
    },
  };
  const pump = (): void => {
    if (closed) return;
    const out = frames.next(BURST);
    if (sendLast(out)) return;
    if (response.write(out)) setImmediate(pump);
    else response.once("drain", pump);
  };
  const start = (): void => {
    if (closed || sendLast("")) return;
    if (intervalMs === 0) {
      pump();
    } else {
      startMs = performance.now();
      stream.onDue(startMs);
    }
  };
  if (directives.ttft > 0) setTimeout(start, directives.ttft);
  else start();
};

const FAULTS = ["cut", "errat", "stall"] as const;
const ERROR_FRAME =
  'data: {"error":{"message":"scripted error","type":"server_error","code":"fake_error"}}\n\n';

/** The frames of one answer, in order. Plain words skip JSON encoding: this is what a load run spends its time on. */
const createFrames = ({ request, directives, plan, strike, stats }: Answer) => {
  const opening =
    `{"id":"${plan.id}","object":"chat.completion.chunk","created":${plan.created},` +
    `"model":${JSON.stringify(plan.model)},"choices":[`;
  const head = `data: ${opening}{"index":0,"delta":`;
  const total = plan.reasonTokens + plan.textTokens;
  const faults = strike ? FAULTS : [];
  let sent = 0;
  let first = true;

  const frame = (delta: unknown, finish: string | null): string =>
    `${head}${JSON.stringify(delta)},"finish_reason":${finish ? `"${finish}"` : "null"}}]}\n\n`;
  const textFrame = (field: "content" | "reasoning_content", text: string): string =>
    `${head}{"${field}":${jsonText(text)}},"finish_reason":null}]}\n\n`;
  const fault = () => faults.find((name) => directives[name] === sent) ?? null;

  const toolCallFrames = (): string => {
    let out = "";
    for (const call of plan.toolCalls) {
      const { name, arguments: args } = call.function;
      const role = first ? { role: "assistant", content: null } : {};
      first = false;
      out += frame({ ...role, tool_calls: [{ ...call, function: { name, arguments: "" } }] }, null);
      const size = Math.max(1, Math.ceil(args.length / 4));
      for (let i = 0; i < args.length; i += size) {
        const part = { index: call.index, function: { arguments: args.slice(i, i + size) } };
        out += frame({ tool_calls: [part] }, null);
      }
    }
    return out;
  };

  return {
    total,
    sent: () => sent,
    complete: () => sent >= total,
    /** The scripted fault that is due after what was sent. */
    fault,
    /** Frames of up to `count` more tokens; stops at a fault. */
    next(count: number): string {
      let out = "";
      if (first && total > 0) {
        out += frame({ role: "assistant", content: "" }, null);
        first = false;
      }
      for (let left = count; left > 0 && sent < total; ) {
        const reasoning = sent < plan.reasonTokens;
        let take = Math.min(left, directives.chunk, (reasoning ? plan.reasonTokens : total) - sent);
        for (const name of faults)
          if (directives[name] >= 0) take = Math.min(take, Math.max(0, directives[name] - sent));
        let text = "";
        for (let k = 0; k < take; k++)
          text += reasoning ? plan.reasonToken(sent + k) : plan.textToken(sent + k - plan.reasonTokens);
        if (take > 0) {
          out += textFrame(reasoning ? "reasoning_content" : "content", text);
          sent += take;
          left -= take;
          stats.tokens += take;
        }
        if (take === 0 || fault() !== null) break;
      }
      return out;
    },
    ending(): string {
      let out = toolCallFrames() + frame({}, plan.finishReason);
      if (request.includeUsage) out += `data: ${opening}],"usage":${JSON.stringify(plan.usage)}}\n\n`;
      return `${out}data: [DONE]\n\n`;
    },
  };
};

const PLAIN = /^[\w @:]*$/;
const jsonText = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));
